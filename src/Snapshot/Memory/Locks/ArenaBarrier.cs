using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Snapshot.Base;
using Snapshot.Memory.Locks;

namespace Snapshot;

/// <summary>
/// A phased barrier that lives in an arena and survives a restart without losing or counting twice who had
/// arrived.
/// </summary>
/// <remarks>
/// <para>Embed it as a field of a root and call <see cref="Initialize"/> when the memory is new. Never copy
/// it. It has room for <see cref="MaxParticipants"/> threads (8 bytes each; pages of it that are never used
/// cost nothing); fibers need none.</para>
/// <para>Waiting counts as stopped: a checkpoint captures the waiter waiting. After a restart it calls
/// <see cref="SignalAndWait"/> again: it is known to have arrived, is not counted again, and passes at once
/// if its phase was complete.</para>
/// <para>Thread-safe. Arriving is one compare-and-swap beside two stores to the participant's own record;
/// nothing allocates.</para>
/// </remarks>
public unsafe struct ArenaBarrier
{
    // _state: bits 32-63 the phase, modulo 2^32; bits 0-31 how many arrived in it, _participants. One word,
    // so that the last arriver completes the phase and resets the count in a single compare-and-swap: nobody
    // can arrive in the new phase before the old count is gone, and no image shows one without the other.
    // Waiters sleep on the upper half.
    //
    // _records[i]: the record of one owner: bit 63 "inside", bits 32-62 its id (0: never used), bits 0-31 the
    // phase it arrived in.
    //   idle -> inside : by compare-and-swap, by the owner itself or by an owner without a record that takes
    //   an idle
    //                      one over
    //   inside -> idle   : by the owner, when it returns
    // An owner looks from record id % n (n: participants, at most 1024) upward and may stop at a never-used
    // one, since a used record is never unused again.
    //
    // Why nobody is counted twice, and nobody waits for a phase that is over. Between the store "inside,
    // phase p" and the compare-and-swap that counts it the owner passes no safepoint, nor between leaving the
    // wait and storing "idle". A capture therefore finds each owner in one of three situations:
    //   a. not in the barrier: record idle, not counted in the current phase; after the restart it arrives as
    //   usual. b. in the wait, record (inside, p), phase == p: counted; the repeated call finds the record
    //   and only waits. c. in the wait, record (inside, p), phase != p: the last arriver has come; the
    //   repeated call returns at once.
    // The phase cannot run further ahead than p + 1 while the owner has not returned, because p + 1 needs its
    // arrival. No wake is lost: the kernel compares the phase again before it lets anyone sleep, and the last
    // arriver wakes all before it reaches its next safepoint; after a restart nobody sleeps.
    //
    // Ordering: all changes of _state are interlocked, full fences: what a participant wrote before it
    // arrived is seen by all after the phase. A record is read by others only to find an idle one.

    /// <summary>The largest number of participants that are threads; for fibers there is no limit.</summary>
    public const int MaxParticipants = 1024;

    private const ulong Inside = 1UL << 63;

    private ulong _state;
    private int _participants;
#pragma warning disable CS0169, IDE0051 // Fixes the layout: the records start at a multiple of 8.
    private readonly int _reserved;
#pragma warning restore CS0169, IDE0051
    private fixed ulong _records[MaxParticipants];

    /// <summary>The number of the current phase, from 0, modulo 2^32. A snapshot of a moment.</summary>
    internal readonly uint Phase => PhaseOf(Volatile.Read(in _state));

    /// <summary>How many have arrived in the current phase. A snapshot of a moment.</summary>
    internal readonly int ArrivedCount => (int)(uint)Volatile.Read(in _state);

    /// <summary>
    /// Sets the number of participants and begins at phase 0. Call it while nobody uses the barrier; not
    /// after a restart.
    /// </summary>
    /// <param name="participantCount">
    /// Threads and fibers, at least 1; at most <see cref="MaxParticipants"/> of them may be threads.
    /// </param>
    /// <exception cref="ArgumentOutOfRangeException">Less than 1.</exception>
    public void Initialize(int participantCount)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(participantCount, 1);
        for (int index = 0; index < MaxParticipants; index++)
        {
            // Writing only what is not zero keeps unused pages untouched.
            if (_records[index] != 0) _records[index] = 0;
        }

        _participants = participantCount;
        Volatile.Write(ref _state, 0);
    }

    /// <summary>Arrives, and waits until all participants have arrived in this phase.</summary>
    /// <returns>True in exactly one participant per phase: the last to arrive.</returns>
    /// <exception cref="InvalidOperationException">The barrier was not initialized, more participants use it
    /// than it was initialized for, or the thread is not attached to a session.</exception>
    public bool SignalAndWait()
    {
        LockOwner owner = LockWord.Caller();
        if (_participants == 0) throw NotInitialized();
        ref ulong record = ref FindRecord(owner.OwnerId, out bool arrivedBeforeRestart);
        if (!arrivedBeforeRestart && Arrive(owner.OwnerId, ref record)) return true;

        WaitWhile(owner, phase: (uint)record);
        Volatile.Write(ref record, IdleRecord(owner.OwnerId));
        return false;
    }

    /// <summary>
    /// Counts a caller whose wait survives a restart by itself, so that it needs no record; true when it
    /// completed the phase, in which case it does not wait. Else it waits while the phase word has that
    /// value.
    /// </summary>
    internal bool ArriveWithoutRecord(out uint phase)
    {
        if (_participants == 0) throw NotInitialized();
        while (true)
        {
            ulong state = Volatile.Read(ref _state);
            phase = PhaseOf(state);
            bool last = (uint)state + 1 == (uint)_participants;
            ulong next = last ? (ulong)(phase + 1) << 32 : state + 1;
            if (Interlocked.CompareExchange(ref _state, next, state) != state) continue;
            if (last && _participants > 1) LockWord.Wake(ref PhaseWord(), LockWord.All);
            return last;
        }
    }

    /// <summary>What waiters sleep on: the phase.</summary>
    [UnscopedRef]
    internal ref uint PhaseWord() => ref Unsafe.Add(ref Unsafe.As<ulong, uint>(ref _state), 1);

    /// <summary>
    /// Counts the caller; true when it completed the phase, in which case it does not wait.
    /// </summary>
    private bool Arrive(int ownerId, ref ulong record)
    {
        while (true)
        {
            ulong state = Volatile.Read(ref _state);
            Volatile.Write(ref record, InsideRecord(ownerId, PhaseOf(state)));
            bool last = (uint)state + 1 == (uint)_participants;
            ulong next = last ? (ulong)(PhaseOf(state) + 1) << 32 : state + 1;
            if (Interlocked.CompareExchange(ref _state, next, state) != state) continue;
            if (!last) return false;

            Volatile.Write(ref record, IdleRecord(ownerId));
            if (_participants > 1) LockWord.Wake(ref PhaseWord(), LockWord.All);
            return true;
        }
    }

    private void WaitWhile(LockOwner owner, uint phase)
    {
        if (Phase != phase) return;
        LockWord.SpinBriefly();
        while (Phase == phase) LockWord.Sleep(owner, ref PhaseWord(), phase, Timeout.Infinite);
    }

    /// <summary>
    /// The caller's record, marked as inside; <paramref name="arrived"/> when it was inside already.
    /// </summary>
    [UnscopedRef]
    private ref ulong FindRecord(int ownerId, out bool arrived)
    {
        while (true)
        {
            int index = IndexOfRecord(ownerId);
            if (index < 0) index = IndexOfIdle(ownerId);
            ref ulong record = ref _records[index];
            ulong seen = Volatile.Read(ref record);
            arrived = (seen & Inside) != 0 && OwnerOf(seen) == ownerId;
            if (arrived) return ref record;

            // Fails when another owner took the record over in between.
            if ((seen & Inside) == 0
                && Interlocked.CompareExchange(ref record, InsideRecord(ownerId, Phase), seen) == seen)
            {
                return ref record;
            }
        }
    }

    private int IndexOfRecord(int ownerId)
    {
        int index = Home(ownerId);
        for (int probes = 0; probes < RecordCount; probes++)
        {
            ulong seen = Volatile.Read(ref _records[index]);
            if (OwnerOf(seen) == ownerId) return index;
            if (seen == 0) return -1;
            if (++index == RecordCount) index = 0;
        }

        return -1;
    }

    private int IndexOfIdle(int ownerId)
    {
        int index = Home(ownerId);
        for (int probes = 0; probes < RecordCount; probes++)
        {
            if ((Volatile.Read(ref _records[index]) & Inside) == 0) return index;
            if (++index == RecordCount) index = 0;
        }

        throw new InvalidOperationException(
            $"More threads use an arena barrier than the {RecordCount} it has room for.");
    }

    private readonly int RecordCount => Math.Min(_participants, MaxParticipants);

    private readonly int Home(int ownerId) => ownerId % RecordCount;

    private static InvalidOperationException NotInitialized() =>
        new("An arena barrier is used before Initialize was called on it.");

    private static uint PhaseOf(ulong state) => (uint)(state >> 32);

    private static int OwnerOf(ulong record) => (int)((record & ~Inside) >> 32);

    private static ulong InsideRecord(int ownerId, uint phase) => Inside | (ulong)(uint)ownerId << 32 | phase;

    private static ulong IdleRecord(int ownerId) => (ulong)(uint)ownerId << 32;
}
