using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Snapshot.Interop;
using Snapshot.Threads.Fibers;

namespace Snapshot.Coordination;

/// <summary>The lock-free barrier: the phase word, who sleeps on it, and who wakes whom.</summary>
/// <remarks>
/// <para>Rules: <see cref="PhaseWord"/>. This class adds atomicity, sleeping and waking, and nothing
/// else.</para>
/// <para>
/// Ordering. Every change is a compare-and-swap with full-fence semantics, so the changes of the word are one
/// total order and each is a release of all its thread did before and an acquire of all that was published by
/// earlier changes. (a) What a participant wrote before it stopped (<see cref="Park"/>, <see cref="Stop"/>)
/// happens before the capture: the coordinator reads Capture from the last of these changes or a later one,
/// and all of them are read-modify-writes of the same word, so it synchronises with every one. (b) What the
/// session wrote during the capture, and the outcome of the attempt, happen before anything a participant
/// does after it read a word later than the release or the abort. (c) A newcomer or a participant leaving a
/// blocked region changes the word before it touches memory, so it either comes before Raise and is waited
/// for, or re-joins in Sync and is waited for, or is refused until the capture is over.
/// </para>
/// <para>
/// No lost wake-up. A sleeper passes the value it decided on to the futex, which compares and enqueues
/// atomically; a waker changes the word before it wakes. Participants only ever wait for the end of
/// Pending..Async (waiting at a critical section), of Sync..Capture (parked, newcomers, leavers of blocked
/// regions) or for Sync to begin (waiting for a lock); each of these is an act of the coordinator that wakes
/// everybody: <see cref="Raise"/>, <see cref="Release"/>, <see cref="TryAbort"/>. Pending to Async and Sync
/// to Capture are done by participants and wake only the coordinator: those asleep on the older value would
/// look and sleep again, which on the way to a capture costs cores and time (no thundering herd in the
/// pause).
/// </para>
/// <para>
/// The coordinator sleeps on a counter of its own (<see cref="Attention"/>), because what it waits for is
/// more than the phase: the winner of a phase, a handler that aborts and the handler thread all advance it.
/// It reads the counter, then its conditions, then sleeps on the value read: an event in between makes the
/// sleep return at once.
/// </para>
/// <para>
/// A checkpoint is pending from the request on, and not only when the coordinator has come to begin it:
/// between the two it is announced, in a word of its own. It is announced before the request returns, and the
/// announcement ends after the change of the phase word that begins the attempt, or when there will be none.
/// Who left its outermost critical section looks at the announcement first and at the phase then: an
/// announcement that has ended shows the phase it ended for, so a request made before the exit is seen in one
/// of the two. It sleeps on the announcement; ending it wakes everybody.
/// </para>
/// <para>
/// The hint is what polls read; it lives on a line of its own that nobody writes while nothing is pending,
/// and the word decides. It is set before Raise and cleared before the CAS that lets participants go on.
/// Cleared later, it could wipe out the hint of the next attempt; set later, a poll between would merely miss
/// one turn.
/// </para>
/// <para>Thread safety: all members, any thread, within the rules' "who".</para>
/// </remarks>
internal sealed unsafe class PhaseBarrier
{
    /// <summary>Two cache lines, as processors prefetch lines in pairs.</summary>
    private const int LineBytes = 128;
    private const int HintRaised = 1;
    private const int HintFailed = 2;
    private const int Spins = 20;
    private const int SpinIterations = 10;

    private readonly byte* _lines;
    private readonly long* _word;
    private readonly uint* _half;
    private readonly int* _hint;
    private readonly uint* _announced;
    private readonly uint* _attention;

    internal PhaseBarrier()
    {
        _lines = (byte*)NativeMemory.AlignedAlloc(3 * LineBytes, LineBytes);
        NativeMemory.Clear(_lines, 3 * LineBytes);
        _word = (long*)_lines;
        _half = (uint*)_lines + 1;
        _hint = (int*)(_lines + LineBytes);
        _announced = (uint*)(_hint + 1);
        _attention = (uint*)(_lines + (2 * LineBytes));
    }

    ~PhaseBarrier() => NativeMemory.AlignedFree(_lines);

    /// <summary>
    /// What a poll reads: not zero if it must look at the word, or at the failure of the session.
    /// </summary>
    internal int* Hint => _hint;

    /// <summary>Whether a checkpoint was asked for that has not begun.</summary>
    internal bool IsAnnounced => Volatile.Read(ref *_announced) != 0;

    internal uint Attention => Volatile.Read(ref *_attention);

    internal long Read() => Volatile.Read(ref *_word);

    // ---- participants, each for itself
    // -----------------------------------------------------------------------------

    /// <param name="word">The word after the change, or the one that refused it.</param>
    internal bool TryAttach(out long word) => TryChange(&PhaseWord.TryAttach, out _, out word);

    /// <inheritdoc cref="TryAttach"/>
    internal bool TryRejoin(out long word) => TryChange(&PhaseWord.TryRejoin, out _, out word);

    /// <inheritdoc cref="TryAttach"/>
    internal bool TryEnterCritical(out long word) => TryChange(&PhaseWord.TryEnterCritical, out _, out word);

    /// <summary>
    /// Leaves the session or enters a blocked region. Also done by the coordinator for a participant whose
    /// thread died.
    /// </summary>
    internal void Stop(bool critical)
    {
        bool isDone = critical
            ? TryChange(&PhaseWord.TryStopCritical, out long before, out long after)
            : TryChange(&PhaseWord.TryStop, out before, out after);
        NotifyIfWon(isDone, before, after);
    }

    internal void ExitCritical()
    {
        bool isDone = TryChange(&PhaseWord.TryExitCritical, out long before, out long after);
        NotifyIfWon(isDone, before, after);
    }

    /// <summary>
    /// Parks for an attempt and sleeps until it is released or aborted. Returns at once when it is over
    /// already.
    /// </summary>
    internal void Park(int attempt)
    {
        long word = Read();
        while (true)
        {
            if (!PhaseWord.TryPark(word, attempt, out long next)) return;
            long found = Interlocked.CompareExchange(ref *_word, next, word);
            if (found == word)
            {
                NotifyIfWon(true, word, next);
                AwaitRelease(attempt);
                return;
            }

            word = found;
        }
    }

    /// <summary>Sleeps while a checkpoint is announced that has not begun.</summary>
    internal void AwaitBeginning()
    {
        while (IsAnnounced) Futex.Wait(_announced, 1, -1);
        GC.KeepAlive(this);
    }

    /// <summary>
    /// Sleeps until the phase differs from the one in <paramref name="seen"/>; may return early.
    /// </summary>
    internal void Sleep(long seen)
    {
        Futex.Wait(_half, PhaseWord.HalfOf(seen), -1);
        GC.KeepAlive(this);
    }

    /// <summary>Sleeps until that word or the phase differs from what was seen; may return early.</summary>
    /// <returns>False when the time passed.</returns>
    internal bool SleepEither(uint* word, uint expected, long seen, long timeoutNanoseconds)
    {
        bool isWoken = Futex.WaitEither(word, expected, _half, PhaseWord.HalfOf(seen), timeoutNanoseconds);
        GC.KeepAlive(this);
        return isWoken;
    }

    // ---- the coordinator
    // -------------------------------------------------------------------------------------------

    /// <summary>A checkpoint will begin as soon as the coordinator comes to it: it is pending.</summary>
    internal void Announce() => Interlocked.Exchange(ref *_announced, 1);

    /// <summary>It has begun, or will not.</summary>
    internal void EndAnnouncement()
    {
        if (Interlocked.Exchange(ref *_announced, 0) != 0) Futex.WakeAll(_announced);
    }

    internal bool TryBegin(out long word)
    {
        bool hasBegun = TryChange(&PhaseWord.TryBegin, out _, out word);
        EndAnnouncement();
        return hasBegun;
    }

    internal void Raise()
    {
        SetHint(HintRaised);
        Require(TryChange(&PhaseWord.TryRaise, out long before, out _), before);
        Futex.WakeAll(_half);
    }

    /// <returns>
    /// When the word let the participants go. Taken before they are woken: on a machine with more threads
    /// than processors those who wake take the processor from the coordinator, and a later stamp would say
    /// when it got it back.
    /// </returns>
    internal long Release()
    {
        ClearHint(HintRaised);
        Require(TryChange(&PhaseWord.TryRelease, out long before, out _), before);
        long released = Stopwatch.GetTimestamp();
        Futex.WakeAll(_half);
        return released;
    }

    internal void Advance() => Require(TryChange(&PhaseWord.TryAdvance, out long before, out _), before);

    /// <summary>Ends the attempt, from whatever phase.</summary>
    internal void Abort()
    {
        ClearHint(HintRaised);
        Require(TryChange(&PhaseWord.TryAbort, out long before, out _), before);
        Futex.WakeAll(_half);
    }

    /// <summary>
    /// Ends the attempt if it is still in <paramref name="from"/>. This is how a deadline loses against the
    /// last arriver or wins: one compare-and-swap of each is in the order of changes before the other.
    /// </summary>
    internal bool TryAbort(Phase from)
    {
        ClearHint(HintRaised);
        long word = Read();
        while (PhaseWord.PhaseOf(word) == from && PhaseWord.TryAbort(word, out long next))
        {
            long found = Interlocked.CompareExchange(ref *_word, next, word);
            if (found == word)
            {
                Futex.WakeAll(_half);
                return true;
            }

            word = found;
        }

        return false;
    }

    /// <summary>
    /// Sleeps until <see cref="Notify"/> was called after <paramref name="seen"/> was read, at most that
    /// long.
    /// </summary>
    internal void AwaitAttention(uint seen, long timeoutNanoseconds)
    {
        if (!SpinWhile(_attention, seen)) return;
        Futex.Wait(_attention, seen, timeoutNanoseconds);
        GC.KeepAlive(this);
    }

    /// <summary>Makes the coordinator look at its conditions again.</summary>
    internal void Notify()
    {
        Interlocked.Increment(ref *_attention);
        Futex.WakeOne(_attention);
        GC.KeepAlive(this);
    }

    /// <summary>Every later poll takes its slow path, and everybody asleep looks again.</summary>
    internal void MarkFailed()
    {
        SetHint(HintFailed);
        Futex.WakeAll(_half);
        Notify();
    }

    // ---- mechanics
    // -------------------------------------------------------------------------------------------------

    private void SetHint(int bit)
    {
        if ((Interlocked.Or(ref *_hint, bit) & bit) == 0) StopSignal.Add();
    }

    private void ClearHint(int bit)
    {
        if ((Interlocked.And(ref *_hint, ~bit) & bit) != 0) StopSignal.Remove();
    }

    private void AwaitRelease(int attempt)
    {
        for (int spin = 0; spin < Spins && PhaseWord.IsStopping(Read(), attempt); spin++) Spin();
        for (long word = Read(); PhaseWord.IsStopping(word, attempt); word = Read()) Sleep(word);
    }

    private bool TryChange(delegate*<long, out long, bool> rule, out long before, out long after)
    {
        before = Read();
        while (rule(before, out after))
        {
            long found = Interlocked.CompareExchange(ref *_word, after, before);
            if (found == before) return true;
            before = found;
        }

        after = before;
        return false;
    }

    private void NotifyIfWon(bool isDone, long before, long after)
    {
        Require(isDone, before);
        if (PhaseWord.HalfOf(before) != PhaseWord.HalfOf(after)) Notify();
    }

    private static bool SpinWhile(uint* word, uint expected)
    {
        for (int spin = 0; spin < Spins; spin++)
        {
            if (Volatile.Read(ref *word) != expected) return false;
            Spin();
        }

        return true;
    }

    private static void Spin()
    {
        if (Environment.ProcessorCount > 1) Thread.SpinWait(SpinIterations);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Require(bool isDone, long word)
    {
        if (!isDone) ThrowBroken(word);
    }

    private static void ThrowBroken(long word) => throw new InvalidOperationException(
        $"The phase barrier was asked for a change that phase {PhaseWord.PhaseOf(word)} of attempt " +
        $"{PhaseWord.AttemptOf(word)} does not allow (running {PhaseWord.RunningOf(word)}, held " +
        $"{PhaseWord.HeldOf(word)}). This is a defect of Snapshot; please report it.");
}
