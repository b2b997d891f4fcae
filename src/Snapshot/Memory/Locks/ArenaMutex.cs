using System.Diagnostics.CodeAnalysis;
using Snapshot.Base;
using Snapshot.Memory.Locks;

namespace Snapshot;

/// <summary>
/// A mutual-exclusion lock that lives in an arena and survives a restart: held before, held after, by the
/// same participant.
/// </summary>
/// <remarks>
/// <para>Embed it as a field of a root; zeroed memory is an unlocked mutex. Never copy it. Its owner is the
/// participant or handler that entered, not a thread. Waiting counts as stopped: a checkpoint captures the
/// waiter waiting, and after a restart the waiter calls again. A participant that was captured inside finds
/// <see cref="IsHeldByCurrent"/> true.</para>
/// <para>Not recursive. Not fair: whoever comes while the mutex is free takes it, also before those who wait;
/// but a fiber is passed over (woken, to find it taken again) once at most: then it is handed the mutex, in
/// the order of these.</para>
/// <para>Thread-safe. Entering and leaving without contention are one atomic instruction each and allocate
/// nothing.</para>
/// </remarks>
public struct ArenaMutex
{
    // _word: bits 0-30 the id of the owner (0: free), bit 31 "somebody may be asleep on this word".
    //
    // Invariants
    //   1. Only the owner makes the id 0; only a compare-and-swap from id 0 makes it non-zero.
    //   2. While an owner sleeps, bit 31 is set, or a wake is on its way to a sleeper, or a woken owner has
    //   not yet
    //      looked at the word. Exit clears the bit together with the id, then wakes one; the woken owner sets
    //      the bit again when it takes the mutex and before it sleeps or gives up. So the bit outlives every
    //      hand-over while there may be sleepers, and the last of them costs one wake that meets nobody. A
    //      bit that is stale after a restart costs the same.
    //   3. A fiber that was woken once and found the mutex taken again is passed over. While such a fiber is
    //   in the
    //      wait table, the word has an id and bit 31: it parked on that, only Exit clears them, and Exit
    //      stores the id of the first of them with the bit, in place of 0, so that the mutex was never free
    //      in between. It chooses and stores while nobody can park, so none can come between the two. The
    //      fiber finds its id when it looks, also in another process.
    //
    // Ordering: every change of the word is an interlocked operation, a full fence; what an owner wrote
    // inside is visible to the next one. The kernel compares the word again before it lets anyone sleep, so
    // an Exit between the look and the sleep is seen.
    private const uint Contended = 1u << 31;

    private uint _word;

    /// <summary>What waiters sleep on.</summary>
    [UnscopedRef]
    internal ref uint Word => ref _word;

    /// <summary>The id of the participant that holds it, 0 when free. A snapshot of a moment.</summary>
    internal readonly int OwnerId => (int)(Volatile.Read(in _word) & ~Contended);

    /// <summary>True when somebody holds it. A snapshot of a moment.</summary>
    public readonly bool IsHeld => OwnerId != 0;

    /// <summary>
    /// True when the calling participant holds it; only the caller itself can change the answer.
    /// </summary>
    public readonly bool IsHeldByCurrent => LockOwner.Current is { } owner && OwnerId == owner.OwnerId;

    /// <summary>Enters, waiting as long as it takes.</summary>
    /// <exception cref="InvalidOperationException">
    /// The caller holds it already, or its thread is not attached to a session.
    /// </exception>
    public void Enter()
    {
        LockOwner owner = LockWord.Caller();
        if (Interlocked.CompareExchange(ref _word, (uint)owner.OwnerId, 0) != 0)
            EnterSlowly(owner, Deadline.Never);
    }

    /// <summary>Enters if that is possible at once.</summary>
    /// <returns>True when entered.</returns>
    /// <exception cref="InvalidOperationException">
    /// The caller holds it already, or its thread is not attached to a session.
    /// </exception>
    public bool TryEnter() => TryEnter(TimeSpan.Zero);

    /// <summary>Enters, waiting at most <paramref name="timeout"/>.</summary>
    /// <param name="timeout">
    /// Zero: do not wait. <see cref="Timeout.InfiniteTimeSpan"/>: without limit.
    /// </param>
    /// <returns>True when entered, false when the time passed.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A negative time.</exception>
    /// <exception cref="InvalidOperationException">
    /// The caller holds it already, or its thread is not attached to a session.
    /// </exception>
    public bool TryEnter(TimeSpan timeout)
    {
        LockOwner owner = LockWord.Caller();
        Deadline deadline = Deadline.After(timeout);
        if (Interlocked.CompareExchange(ref _word, (uint)owner.OwnerId, 0) == 0) return true;
        if (timeout != TimeSpan.Zero) return EnterSlowly(owner, deadline);
        ThrowIfHeldBy(owner, Volatile.Read(ref _word));
        return false;
    }

    /// <summary>Leaves, and wakes one of those who wait.</summary>
    /// <exception cref="InvalidOperationException">The caller does not hold it.</exception>
    public void Exit()
    {
        LockOwner owner = LockWord.Caller();
        int holder = OwnerId;
        if (holder != owner.OwnerId)
        {
            throw new InvalidOperationException(
                $"'{owner.OwnerName}' (owner {owner.OwnerId}) leaves an arena mutex that " +
                (holder == 0 ? "nobody holds." : $"owner {holder} holds."));
        }

        if (Interlocked.CompareExchange(ref _word, 0, (uint)holder) != (uint)holder) ExitContended();
    }

    /// <summary>Leaves for a native thread, which cannot reach the fibers that wait.</summary>
    internal void ExitOnBehalfOf(int owner)
    {
        if (OwnerId == owner) ExitContended();
    }

    /// <summary>
    /// Enters, and leaves at the end of the scope: <c>using (state.Mutex.EnterScope()) { … }</c>.
    /// </summary>
    /// <returns>The scope; it refers to the mutex.</returns>
    /// <exception cref="InvalidOperationException">
    /// The caller holds it already, or its thread is not attached to a session.
    /// </exception>
    [UnscopedRef]
    public Scope EnterScope()
    {
        Enter();
        return new Scope(ref this);
    }

    /// <summary>Enters if the mutex is free.</summary>
    internal bool TryEnterAtOnce(LockOwner owner) =>
        Interlocked.CompareExchange(ref _word, (uint)owner.OwnerId, 0) == 0;

    /// <summary>
    /// One look of an owner that waits. Giving up is allowed after it: the wake that this owner may have
    /// consumed is then owed by the holder, since the bit is set.
    /// </summary>
    /// <param name="owner">Who waits.</param>
    /// <param name="hasSlept">Whether it slept since it came: others may be asleep, too.</param>
    /// <param name="expected">What the word holds while there is nothing to do but to sleep.</param>
    /// <returns>True when it is inside.</returns>
    internal bool TryEnterOrMark(LockOwner owner, bool hasSlept, out uint expected)
    {
        while (true)
        {
            uint seen = Volatile.Read(ref _word);
            expected = seen | Contended;
            if ((seen & ~Contended) == 0)
            {
                uint entered = (uint)owner.OwnerId | seen | (hasSlept ? Contended : 0);
                if (Interlocked.CompareExchange(ref _word, entered, seen) == seen) return true;
                continue;
            }

            if (seen == expected || Interlocked.CompareExchange(ref _word, expected, seen) == seen)
                return false;
        }
    }

    internal readonly void ThrowIfHeldBy(LockOwner owner) => ThrowIfHeldBy(owner, Volatile.Read(in _word));

    private bool EnterSlowly(LockOwner owner, Deadline deadline)
    {
        LockWord.SpinBriefly();
        ThrowIfHeldBy(owner);
        bool hasSlept = false;
        bool expired = false;
        while (true)
        {
            if (TryEnterOrMark(owner, hasSlept, out uint expected)) return true;
            if (expired) return false;
            expired = !LockWord.Sleep(owner, ref _word, expected, deadline.RemainingNanoseconds);
            hasSlept = true;
        }
    }

    /// <summary>
    /// Hands the mutex to the first fiber that was passed over; if none was, frees it and wakes one.
    /// </summary>
    private unsafe void ExitContended()
    {
        WaitNode* told;
        int heirs;
        using (WaitTable.Queue queue = WaitTable.Hold(LockWord.AddressOf(ref _word)))
        {
            told = queue.TakeHeirs(1, out heirs);
            Interlocked.Exchange(ref _word, heirs > 0 ? (uint)told->OwnerId | Contended : 0);
            if (heirs == 0) told = queue.Take(1);
        }

        WaitTable.Deliver(told);
        if (heirs == 0) LockWord.WakeThreads(ref _word, 1);
    }

    private static void ThrowIfHeldBy(LockOwner owner, uint seen)
    {
        if ((seen & ~Contended) == (uint)owner.OwnerId)
        {
            throw new InvalidOperationException(
                $"'{owner.OwnerName}' (owner {owner.OwnerId}) enters an arena mutex that it holds already; " +
                "the mutex is not recursive. After a restart, ask IsHeldByCurrent first.");
        }
    }

    /// <summary>Leaves the mutex when disposed.</summary>
    public readonly ref struct Scope
    {
        private readonly ref ArenaMutex _mutex;

        internal Scope(ref ArenaMutex mutex) => _mutex = ref mutex;

        /// <summary>Leaves the mutex.</summary>
        /// <exception cref="InvalidOperationException">The caller does not hold it.</exception>
        public void Dispose() => _mutex.Exit();
    }
}
