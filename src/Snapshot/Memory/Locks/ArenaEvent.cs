using System.Diagnostics.CodeAnalysis;
using Snapshot.Base;
using Snapshot.Memory.Locks;

namespace Snapshot;

/// <summary>Who resets an <see cref="ArenaEvent"/>.</summary>
public enum ArenaEventMode
{
    /// <summary>Stays set until <see cref="ArenaEvent.Reset"/>; everyone passes.</summary>
    ManualReset = 0,

    /// <summary>Is reset by the one participant that passes.</summary>
    AutoReset = 1,
}

/// <summary>An event that lives in an arena and survives a restart: set before, set after.</summary>
/// <remarks>
/// <para>Embed it as a field of a root; zeroed memory is an unset event of mode
/// <see cref="ArenaEventMode.ManualReset"/>. Never copy it. Waiting counts as stopped: a checkpoint captures
/// the waiter waiting, and after a restart it calls again.</para>
/// <para>Not fair. If <see cref="Reset"/> follows <see cref="Set"/> at once, perhaps nobody passes: whoever
/// waits looks again when it is woken.</para>
/// <para>Thread-safe. Nothing allocates.</para>
/// </remarks>
public struct ArenaEvent
{
    // _word: bit 0 set, bit 31 "somebody may be asleep on this word"; never both, because Set replaces the
    // whole word and an owner marks the word only while it is 0.
    //
    // Invariant: while an owner sleeps, the word is Contended, or a wake is on its way to a sleeper, or a
    // woken owner has not yet looked. Set clears the bit; in manual mode it wakes all, in auto mode one, who
    // sets the bit again when it passes and before it sleeps or gives up. Unlike the semaphore nothing can be
    // left over when it passes, so it owes no further wake.
    private const uint Signaled = 1;
    private const uint Contended = 1u << 31;

    private uint _word;
    private ArenaEventMode _mode;

    /// <summary>What waiters sleep on.</summary>
    [UnscopedRef]
    internal ref uint Word => ref _word;

    /// <summary>True when set. A snapshot of a moment.</summary>
    public readonly bool IsSet => (Volatile.Read(in _word) & Signaled) != 0;

    /// <summary>
    /// Sets mode and state. Call it once, when the memory is new and before others use it; not after a
    /// restart.
    /// </summary>
    /// <param name="mode">Who resets it.</param>
    /// <param name="set">True: it is set from the start.</param>
    /// <exception cref="ArgumentOutOfRangeException">An unknown mode.</exception>
    public void Initialize(ArenaEventMode mode, bool set = false)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(
            (uint)mode, (uint)ArenaEventMode.AutoReset, nameof(mode));
        _mode = mode;
        Volatile.Write(ref _word, set ? Signaled : 0);
    }

    /// <summary>
    /// Sets it: all that wait pass, or one in mode <see cref="ArenaEventMode.AutoReset"/>. Setting a set
    /// event does nothing.
    /// </summary>
    /// <exception cref="InvalidOperationException">The thread is not attached to a session.</exception>
    public void Set()
    {
        LockWord.Caller();
        if ((Interlocked.Exchange(ref _word, Signaled) & Contended) != 0)
            LockWord.Wake(ref _word, _mode == ArenaEventMode.AutoReset ? 1 : LockWord.All);
    }

    /// <summary>Resets it: whoever comes from now on waits.</summary>
    /// <exception cref="InvalidOperationException">The thread is not attached to a session.</exception>
    public void Reset()
    {
        LockWord.Caller();
        Interlocked.And(ref _word, ~Signaled);
    }

    /// <summary>Passes when it is set, waiting as long as it takes.</summary>
    /// <exception cref="InvalidOperationException">The thread is not attached to a session.</exception>
    public void Wait() => Wait(LockWord.Caller(), Deadline.Never, wait: true);

    /// <summary>Passes if it is set now.</summary>
    /// <returns>True when it was set.</returns>
    /// <exception cref="InvalidOperationException">The thread is not attached to a session.</exception>
    public bool TryWait() => TryWait(TimeSpan.Zero);

    /// <summary>Passes when it is set, waiting at most <paramref name="timeout"/>.</summary>
    /// <param name="timeout">
    /// Zero: do not wait. <see cref="Timeout.InfiniteTimeSpan"/>: without limit.
    /// </param>
    /// <returns>True when it was set, false when the time passed.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A negative time.</exception>
    /// <exception cref="InvalidOperationException">The thread is not attached to a session.</exception>
    public bool TryWait(TimeSpan timeout) =>
        Wait(LockWord.Caller(), Deadline.After(timeout), wait: timeout != TimeSpan.Zero);

    /// <summary>One look of an owner that does not wait.</summary>
    internal bool PassAtOnce(bool hasSlept)
    {
        while (true)
        {
            uint seen = Volatile.Read(ref _word);
            if ((seen & Signaled) == 0) return false;
            if (_mode == ArenaEventMode.ManualReset) return true;
            if (Interlocked.CompareExchange(ref _word, hasSlept ? Contended : 0, seen) == seen) return true;
        }
    }

    /// <summary>One look of an owner that waits. Giving up is allowed after it.</summary>
    /// <param name="hasSlept">Whether it slept since it came: others may be asleep, too.</param>
    /// <param name="expected">What the word holds while there is nothing to do but to sleep.</param>
    /// <returns>True when it passed.</returns>
    internal bool TryPassOrMark(bool hasSlept, out uint expected)
    {
        expected = Contended;
        while (true)
        {
            if (PassAtOnce(hasSlept)) return true;
            uint seen = Interlocked.CompareExchange(ref _word, Contended, 0);
            if (seen is 0 or Contended) return false;
        }
    }

    private bool Wait(LockOwner owner, Deadline deadline, bool wait)
    {
        bool hasSlept = false;
        bool expired = false;
        while (true)
        {
            if (!wait) return PassAtOnce(hasSlept);
            if (TryPassOrMark(hasSlept, out uint expected)) return true;
            if (expired) return false;
            expired = !LockWord.Sleep(owner, ref _word, expected, deadline.RemainingNanoseconds);
            hasSlept = true;
        }
    }
}
