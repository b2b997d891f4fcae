using System.Diagnostics.CodeAnalysis;
using Snapshot.Base;
using Snapshot.Memory.Locks;

namespace Snapshot;

/// <summary>
/// A counting semaphore that lives in an arena and survives a restart: what was taken is still taken.
/// </summary>
/// <remarks>
/// <para>Embed it as a field of a root; zeroed memory is a semaphore with count 0. Never copy it. It has no
/// owner: any participant may release. Waiting counts as stopped: a checkpoint captures the waiter waiting,
/// nothing taken, and after a restart it calls again.</para>
/// <para>Not fair: whoever comes while the count is positive takes from it, also before those who wait; but a
/// fiber is passed over (woken, to find nothing left) once at most: then it is given what is released next,
/// in the order of these.</para>
/// <para>Thread-safe. Without contention each operation is one compare-and-swap and allocates nothing.</para>
/// </remarks>
public struct ArenaSemaphore
{
    // _word: bits 0-30 the count, bit 31 "somebody may be asleep on this word".
    //
    // Invariant: while an owner sleeps, bit 31 is set and the count is 0, or a wake is on its way to a
    // sleeper, or a woken owner has not yet looked at the word. Owners sleep only on (count 0, bit set).
    // Release clears the bit and wakes as many as it released, so a second Release may find the bit clear
    // although owners sleep; the woken owner makes up for it: when it takes, it sets the bit again, and if
    // something is left it wakes one more. Before it sleeps or gives up it sets the bit, too, and gives up
    // only at count 0. A bit that is stale after a restart costs one wake that meets nobody.
    //
    // A fiber that was woken once and found the count 0 again is passed over. While such a fiber is in the
    // wait table, the word is (count 0, bit set): it parked on that, and a release that finds the bit gives
    // it its unit first, and raises the count only when no such fiber is there, while nobody can park. So it
    // never waits beside a unit.
    private const uint Contended = 1u << 31;

    private uint _word;

    /// <summary>What waiters sleep on.</summary>
    [UnscopedRef]
    internal ref uint Word => ref _word;

    /// <summary>The count now. A snapshot of a moment.</summary>
    public readonly int Count => (int)(Volatile.Read(in _word) & ~Contended);

    /// <summary>
    /// Sets the count. Call it once, when the memory is new and before others use it; not after a restart.
    /// </summary>
    /// <param name="count">At least 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">A negative count.</exception>
    public void Initialize(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        Volatile.Write(ref _word, (uint)count);
    }

    /// <summary>Takes one, waiting as long as it takes.</summary>
    /// <exception cref="InvalidOperationException">The thread is not attached to a session.</exception>
    public void Wait()
    {
        LockOwner owner = LockWord.Caller();
        if (!TakeAtOnce()) WaitSlowly(owner, Deadline.Never);
    }

    /// <summary>Takes one if that is possible at once.</summary>
    /// <returns>True when taken.</returns>
    /// <exception cref="InvalidOperationException">The thread is not attached to a session.</exception>
    public bool TryWait() => TryWait(TimeSpan.Zero);

    /// <summary>Takes one, waiting at most <paramref name="timeout"/>.</summary>
    /// <param name="timeout">
    /// Zero: do not wait. <see cref="Timeout.InfiniteTimeSpan"/>: without limit.
    /// </param>
    /// <returns>True when taken, false when the time passed.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A negative time.</exception>
    /// <exception cref="InvalidOperationException">The thread is not attached to a session.</exception>
    public bool TryWait(TimeSpan timeout)
    {
        LockOwner owner = LockWord.Caller();
        Deadline deadline = Deadline.After(timeout);
        return TakeAtOnce() || (timeout != TimeSpan.Zero && WaitSlowly(owner, deadline));
    }

    /// <summary>Puts <paramref name="count"/> back and wakes as many of those who wait.</summary>
    /// <param name="count">At least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">Less than 1.</exception>
    /// <exception cref="InvalidOperationException">The count would pass <see cref="int.MaxValue"/> and is
    /// unchanged, or the thread is not attached to a session.</exception>
    public void Release(int count = 1)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        LockWord.Caller();
        uint seen = Volatile.Read(ref _word);
        if ((seen & Contended) != 0 || Interlocked.CompareExchange(ref _word, Sum(seen, count), seen) != seen)
            ReleaseContended(count);
    }

    internal bool TakeAtOnce()
    {
        while (true)
        {
            uint seen = Volatile.Read(ref _word);
            if ((seen & ~Contended) == 0) return false;
            if (Interlocked.CompareExchange(ref _word, seen - 1, seen) == seen) return true;
        }
    }

    /// <summary>One look of an owner that waits. Giving up is allowed after it.</summary>
    /// <param name="hasSlept">Whether it slept since it came: others may be asleep, too.</param>
    /// <param name="expected">What the word holds while there is nothing to do but to sleep.</param>
    /// <returns>True when it took one.</returns>
    internal bool TryTakeOrMark(bool hasSlept, out uint expected)
    {
        expected = Contended;
        while (true)
        {
            uint seen = Volatile.Read(ref _word);
            if ((seen & ~Contended) != 0)
            {
                uint rest = (seen - 1) | (hasSlept ? Contended : 0);
                if (Interlocked.CompareExchange(ref _word, rest, seen) != seen) continue;
                if (hasSlept && (rest & ~Contended) != 0) LockWord.Wake(ref _word, 1);
                return true;
            }

            if (seen == Contended || Interlocked.CompareExchange(ref _word, Contended, 0) == 0) return false;
        }
    }

    private bool WaitSlowly(LockOwner owner, Deadline deadline)
    {
        LockWord.SpinBriefly();
        bool hasSlept = false;
        bool expired = false;
        while (true)
        {
            if (TryTakeOrMark(hasSlept, out uint expected)) return true;
            if (expired) return false;
            expired = !LockWord.Sleep(owner, ref _word, expected, deadline.RemainingNanoseconds);
            hasSlept = true;
        }
    }

    /// <summary>
    /// Gives what is released to fibers that were passed over, in the order of waiting; the count never has
    /// it. What is left is added, and as many are woken.
    /// </summary>
    private unsafe void ReleaseContended(int count)
    {
        WaitNode* heirs;
        WaitNode* woken = null;
        int rest;
        using (WaitTable.Queue queue = WaitTable.Hold(LockWord.AddressOf(ref _word)))
        {
            heirs = queue.TakeHeirs(count, out int given);
            for (WaitNode* heir = heirs; heir != null; heir = heir->Next) heir->Granted = 1;
            rest = count - given;
            if (rest > 0)
            {
                Add(rest);
                woken = queue.Take(rest);
            }
        }

        WaitTable.Deliver(heirs);
        WaitTable.Deliver(woken);
        if (rest > 0) LockWord.WakeThreads(ref _word, rest);
    }

    private void Add(int count)
    {
        uint seen;
        do seen = Volatile.Read(ref _word);
        while (Interlocked.CompareExchange(ref _word, Sum(seen, count), seen) != seen);
    }

    /// <summary>The word after a release: without the hint, since as many are woken.</summary>
    private static uint Sum(uint seen, int count)
    {
        uint sum = (seen & ~Contended) + (uint)count;
        if ((sum & Contended) == 0) return sum;
        throw new InvalidOperationException(
            $"Releasing {count} would raise the count {seen & ~Contended} of an arena semaphore past " +
            $"{int.MaxValue}.");
    }
}
