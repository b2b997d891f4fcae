namespace Snapshot.Coordination;

/// <summary>
/// The 64-bit word of the phase barrier and every rule by which it may change, as pure functions.
/// </summary>
/// <remarks>
/// <code>
///   bits  0-15  running   participants that execute application code or handlers and still have to come
///   bits 16-31 held Idle, Pending, Release, Drain, Commit: participants inside an outermost critical section
///                         Async: zero
///                         Sync, Capture: participants that are parked
///   bits 32-39  phase     <see cref="Phase"/>
///   bits 40-63  attempt   number of the latest checkpoint attempt, wraps
/// </code>
/// One field serves as "critical" and "parked" because they are never non-zero together: nobody is inside a
/// critical section from Async to Capture, and nobody is parked outside Sync and Capture. With the number of
/// the parked in the word, release and abort hand them back to <c>running</c> in the one CAS that ends the
/// phase, so that no later attempt can take for stopped a participant that has merely not woken yet.
///
/// The upper half (phase and attempt) is the word participants sleep on: it never has the same value in two
/// phases.
///
/// Invariants, in every value the word ever has (checked by <see cref="Holds"/> and by the model in the
/// tests): Async implies held = 0; Sync implies running > 0; Capture implies running = 0. So Capture is
/// entered by exactly the CAS that takes the last running participant out, whoever does it, and by nobody
/// else.
///
/// A rule returns false where it does not apply; the word is then to be waited for, or the caller broke its
/// contract. The barrier and the exhaustive model in the tests execute these same functions.
/// </remarks>
internal static class PhaseWord
{
    internal const int CountMax = 0x7FFF;

    private const long RunningOne = 1L;
    private const long HeldOne = 1L << HeldShift;
    private const long CountMask = 0xFFFF;
    private const int HeldShift = 16;
    private const int PhaseShift = 32;
    private const int AttemptShift = 40;
    private const int AttemptMask = 0xFF_FFFF;

    internal static int RunningOf(long word) => (int)(word & CountMask);

    internal static int HeldOf(long word) => (int)((word >>> HeldShift) & CountMask);

    internal static Phase PhaseOf(long word) => (Phase)(byte)(word >>> PhaseShift);

    internal static int AttemptOf(long word) => (int)(word >>> AttemptShift);

    /// <summary>The half participants sleep on.</summary>
    internal static uint HalfOf(long word) => (uint)(word >>> PhaseShift);

    internal static bool Holds(long word) => PhaseOf(word) switch
    {
        Phase.Async => HeldOf(word) == 0,
        Phase.Sync => RunningOf(word) > 0,
        Phase.Capture => RunningOf(word) == 0,
        _ => true,
    };

    // ---- what a participant may do to the word, for itself alone
    // ---------------------------------------------------

    /// <summary>
    /// Attach: running + 1. Refused in Sync (so that newcomers cannot keep a checkpoint from completing) and
    /// in Capture (so that they cannot write memory that is being captured): the newcomer waits for the phase
    /// to pass.
    /// </summary>
    internal static bool TryAttach(long word, out long next)
    {
        next = word + RunningOne;
        return PhaseOf(word) is not (Phase.Sync or Phase.Capture);
    }

    /// <summary>
    /// Leave of a blocked region: running + 1. Allowed in Sync, where the participant then takes part like
    /// everybody else; refused in Capture, where it waits.
    /// </summary>
    internal static bool TryRejoin(long word, out long next)
    {
        next = word + RunningOne;
        return PhaseOf(word) != Phase.Capture;
    }

    /// <summary>
    /// A running participant outside critical sections leaves the session or enters a blocked region: running
    /// - 1. Whoever makes running 0 in Sync enters Capture in the same step. Nobody runs in Capture, so
    /// nobody can ask this there.
    /// </summary>
    internal static bool TryStop(long word, out long next)
    {
        next = CaptureIfLast(word - RunningOne);
        return RunningOf(word) > 0;
    }

    /// <summary>
    /// The same for one that is inside a critical section; it gives up both counts at once.
    /// </summary>
    internal static bool TryStopCritical(long word, out long next)
    {
        if (!TryExitCritical(word, out next) || RunningOf(next) == 0) return false;
        next -= RunningOne;
        return true;
    }

    /// <summary>
    /// Outermost entry into a critical section: held + 1. Refused from Pending to Capture: a checkpoint has
    /// precedence.
    /// </summary>
    internal static bool TryEnterCritical(long word, out long next)
    {
        next = word + HeldOne;
        return PhaseOf(word) is Phase.Idle or Phase.Release or Phase.Drain or Phase.Commit;
    }

    /// <summary>
    /// Outermost exit: held - 1. Whoever makes held 0 in Pending enters Async in the same step. From Async to
    /// Capture nobody is inside a critical section, so nobody can ask this there.
    /// </summary>
    internal static bool TryExitCritical(long word, out long next)
    {
        next = word - HeldOne;
        Phase phase = PhaseOf(word);
        if (HeldOf(word) == 0 || phase is Phase.Async or Phase.Sync or Phase.Capture) return false;
        if (phase == Phase.Pending && HeldOf(next) == 0) next = WithPhase(next, Phase.Async);
        return true;
    }

    /// <summary>
    /// A participant whose prepare parts are done stops for attempt <paramref name="attempt"/>: running - 1,
    /// held (parked) + 1; the last one enters Capture. Refused when that attempt is over: the participant was
    /// never stopped and goes on.
    /// </summary>
    internal static bool TryPark(long word, int attempt, out long next)
    {
        next = CaptureIfLast(word - RunningOne + HeldOne);
        return IsStopping(word, attempt) && RunningOf(word) > 0;
    }

    /// <summary>True while a participant that parked for that attempt must stay parked.</summary>
    internal static bool IsStopping(long word, int attempt) =>
        AttemptOf(word) == attempt && PhaseOf(word) is (Phase.Sync or Phase.Capture);

    // ---- what only the coordinator of the open attempt may do
    // ------------------------------------------------------

    /// <summary>
    /// A new attempt: Idle to Pending, or at once to Async when no critical section is open.
    /// </summary>
    internal static bool TryBegin(long word, out long next)
    {
        int attempt = (AttemptOf(word) + 1) & AttemptMask;
        Phase phase = HeldOf(word) == 0 ? Phase.Async : Phase.Pending;
        next =
            (WithPhase(word, phase) & ~((long)AttemptMask << AttemptShift)) | ((long)attempt << AttemptShift);
        return PhaseOf(word) == Phase.Idle;
    }

    /// <summary>Async to Sync, or at once to Capture when nobody runs.</summary>
    internal static bool TryRaise(long word, out long next)
    {
        next = CaptureIfLast(WithPhase(word, Phase.Sync));
        return PhaseOf(word) == Phase.Async;
    }

    /// <summary>Capture to Release; the parked are running again before any of them has woken.</summary>
    internal static bool TryRelease(long word, out long next)
    {
        next = WithPhase(ParkedToRunning(word), Phase.Release);
        return PhaseOf(word) == Phase.Capture;
    }

    /// <summary>
    /// Release to Drain, Drain to Commit, Commit to Idle. The counts are the application's and stay.
    /// </summary>
    internal static bool TryAdvance(long word, out long next)
    {
        Phase phase = PhaseOf(word);
        next = WithPhase(word, phase == Phase.Commit ? Phase.Idle : phase + 1);
        return phase is Phase.Release or Phase.Drain or Phase.Commit;
    }

    /// <summary>
    /// Any phase but Idle to Idle. The parked, if any, are running again before any of them has woken.
    /// </summary>
    internal static bool TryAbort(long word, out long next)
    {
        Phase phase = PhaseOf(word);
        next = WithPhase(phase is Phase.Sync or Phase.Capture ? ParkedToRunning(word) : word, Phase.Idle);
        return phase != Phase.Idle;
    }

    private static long CaptureIfLast(long word) =>
        PhaseOf(word) == Phase.Sync && RunningOf(word) == 0 ? WithPhase(word, Phase.Capture) : word;

    private static long ParkedToRunning(long word) =>
        (word & ~(CountMask << HeldShift)) + (HeldOf(word) * RunningOne);

    private static long WithPhase(long word, Phase phase) =>
        (word & ~(0xFFL << PhaseShift)) | ((long)phase << PhaseShift);
}
