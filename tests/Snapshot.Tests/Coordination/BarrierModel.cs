using Snapshot.Coordination;

namespace Snapshot.Tests.Coordination;

/// <summary>What participants may do in a run of the model, beside polling and taking part.</summary>
[Flags]
internal enum Freedom
{
    None = 0,
    Join = 1,
    Leave = 2,
    Die = 4,
    Block = 8,
    Critical = 16,
    Lock = 32,
    HandlerAbort = 64,
    CoordinatorAbort = 128,
    All = 255,
}

internal delegate bool Rule(long word, out long next);

/// <summary>
/// The rules of the word and the habits around it; the defaults are the real ones, tests break one at a time.
/// </summary>
internal sealed class ModelRules
{
    internal Rule Attach { get; init; } = PhaseWord.TryAttach;

    internal Rule Rejoin { get; init; } = PhaseWord.TryRejoin;

    internal Rule Stop { get; init; } = PhaseWord.TryStop;

    internal Rule ExitCritical { get; init; } = PhaseWord.TryExitCritical;

    internal Rule Raise { get; init; } = PhaseWord.TryRaise;

    internal Rule Release { get; init; } = PhaseWord.TryRelease;

    internal Rule Abort { get; init; } = PhaseWord.TryAbort;

    internal Func<long, int, (bool, long)> Park { get; init; } =
        (word, attempt) => (PhaseWord.TryPark(word, attempt, out long next), next);

    internal bool WakesOnRelease { get; init; } = true;

    internal bool WakesOnRaise { get; init; } = true;

    internal bool ComparesBeforeSleeping { get; init; } = true;

    internal bool WinnerNotifies { get; init; } = true;

    internal bool RefusedTryIsSafepoint { get; init; } = true;

    internal bool ExitLooksAtTheAnnouncement { get; init; } = true;

    internal bool ExitLooksAtThePhaseFirst { get; init; }

    internal bool WakesAtTheEndOfAnAnnouncement { get; init; } = true;
}

/// <summary>Where a participant of the model is.</summary>
internal enum At
{
    Out,
    Attaching,
    Running,
    PollReadsWord,
    InCritical,
    Blocked,
    Rejoining,
    EnteringCritical,
    TakingPending,
    Preparing,
    Parking,
    Parked,
    WaitingForLock,
    Dead,
    DeadInCritical,
    TryingCritical,
}

internal enum Sleep
{
    Awake,
    AboutTo,
    Asleep,
}

/// <summary>Where the coordinator of the model is; each step is one access to shared memory.</summary>
internal enum Driving
{
    Idle,
    PendingLook,
    PendingCheck,
    PendingAboutToSleep,
    PendingAsleep,
    Hint,
    Raise,
    RaiseWake,
    SyncLook,
    SyncCheck,
    SyncAboutToSleep,
    SyncAsleep,
    DeadlineAbort,
    Captured,
    Release,
    ReleaseWake,
    Advance,
    Unhint,
    Abort,
    AbortWake,
    Announced,
    EndAnnouncement,
    BeginWake,
    Withdraw,
    WithdrawWake,
}

/// <summary>
/// One participant, in 16 bits: place, sleep, the attempt it parks for or owes, the half it goes to sleep on,
/// whether it has taken the first of two looks, owes the attempt, and still has to notify.
/// </summary>
internal readonly record struct Local(ushort Bits)
{
    internal At At => (At)(Bits & 15);

    internal Sleep Sleep => (Sleep)((Bits >> 4) & 3);

    internal int Attempt => (Bits >> 6) & 3;

    internal int Half => (Bits >> 8) & 31;

    internal bool HasLooked => (Bits & 0x2000) != 0;

    /// <summary>The attempt was pending when it left its critical section.</summary>
    internal bool Owes => (Bits & 0x4000) != 0;

    internal bool MustNotify => (Bits & 0x8000) != 0;

    internal static Local Of(At at, int attempt = 0, bool mustNotify = false) =>
        new((ushort)((int)at | (attempt << 6) | (mustNotify ? 0x8000 : 0)));

    internal Local Owing() => new((ushort)(Bits | 0x4000));

    internal Local Excused() => new((ushort)(Bits & ~0x4000));

    internal Local Looked() => new((ushort)(Bits | 0x2000));

    internal Local FallingAsleep(int half) =>
        new((ushort)((Bits & 0xE0CF) | ((int)Sleep.AboutTo << 4) | (half << 8)));

    internal Local With(Sleep sleep) =>
        new((ushort)((Bits & ~0x30 & (sleep == Sleep.Awake ? ~0x1F00 : ~0)) | ((int)sleep << 4)));

    internal Local Notified() => new((ushort)(Bits & 0x7FFF));
}

/// <summary>
/// The shared memory and the coordinator: the word's fields, the hint, the event count, and what checks need.
/// </summary>
internal record struct Shared(
    long Word, Driving Driving, int Done, bool Hint, bool IsStale, bool IsRequested, int AsyncWins,
    int CaptureWins,
    bool IsAnnounced)
{
    internal readonly int Half => ((int)PhaseWord.PhaseOf(Word) << 2) | PhaseWord.AttemptOf(Word);

    internal readonly uint Pack() =>
        (uint)(PhaseWord.RunningOf(Word) | (PhaseWord.HeldOf(Word) << 3) | (Half << 6)) |
        ((uint)Driving << 11) | ((uint)Done << 16) | (Hint ? 1u << 18 : 0) | (IsStale ? 1u << 19 : 0) |
        (IsRequested ? 1u << 20 : 0) | ((uint)AsyncWins << 21) | ((uint)CaptureWins << 23) |
        (IsAnnounced ? 1u << 25 : 0);

    internal static Shared Unpack(uint bits) => new(
        (bits & 7)
            | (((long)(bits >> 3) & 7) << 16) | (((long)(bits >> 8) & 7) << 32) |
            (((long)(bits >> 6) & 3) << 40),
        (Driving)((bits >> 11) & 31), (int)(bits >> 16) & 3, (bits & (1 << 18)) != 0, (bits & (1 << 19)) != 0,
        (bits & (1 << 20)) != 0, (int)(bits >> 21) & 3, (int)(bits >> 23) & 3,
        (bits & (1 << 25)) != 0);
}

/// <summary>A state: up to three participants in a canonical order, and the shared memory.</summary>
internal readonly record struct ModelState(ulong Locals, uint Shared);

/// <summary>
/// The barrier as a transition system: every step is one atomic access to shared memory or one system call,
/// in every order. The rules of the word are the very functions the barrier executes. Obligatory steps are
/// those that must happen some day (a running participant polls, a critical section ends, the coordinator
/// goes on); the others may or may not. Waits have no time-outs, so that nothing hides a lost wake-up; the
/// coordinator's slices exist only to find the dead and, optionally, the deadline.
/// </summary>
internal sealed class BarrierModel(int participants, Freedom freedom, ModelRules rules, int checkpoints = 2)
{
    private readonly Local[] _locals = new Local[participants];
    private Shared _shared;
    private Action<ModelState, bool> _emit = (_, _) => { };

    internal static ModelState Initial(int participants, int attached)
    {
        Local[] locals =
            [.. Enumerable.Range(0, participants).Select(
                index => Local.Of(index < attached ? At.Running : At.Out))];
        return new ModelState(
            Pack(locals), new Shared(attached, Driving.Idle, 0, false, false, false, 0, 0, false).Pack());
    }

    /// <summary>Everything is over: nobody sleeps but for a lock, and nothing is pending.</summary>
    internal bool IsGoal(ModelState state)
    {
        Load(state);
        return _shared.Driving == Driving.Idle && _shared.Done == checkpoints && _locals.All(local =>
            !local.MustNotify
                && local.At is At.Out or At.Running or At.Blocked or At.WaitingForLock or At.Dead or
                    At.DeadInCritical);
    }

    /// <summary>
    /// Calls <paramref name="emit"/> with every successor and whether the step is obligatory. Throws on a
    /// broken invariant.
    /// </summary>
    internal void Expand(ModelState state, Action<ModelState, bool> emit)
    {
        _emit = emit;
        Load(state);
        Check();
        for (int index = 0; index < participants; index++) ExpandParticipant(index, state);
        Load(state);
        ExpandCoordinator(state);
    }

    internal string Describe(ModelState state)
    {
        Load(state);
        string locals = string.Join(" | ", _locals.Select(local =>
            $"{local.At}" +
            $"{(local.Sleep == Sleep.Awake ? "" : $" {local.Sleep}({local.Half >> 2},{local.Half & 3})")}" +
            $"{(local.MustNotify ? " must notify" : "")}"));
        return $"{PhaseWord.PhaseOf(_shared.Word)} attempt {PhaseWord.AttemptOf(_shared.Word)} " +
            $"running {PhaseWord.RunningOf(_shared.Word)} held {PhaseWord.HeldOf(_shared.Word)} " +
            $"hint {_shared.Hint} coordinator {_shared.Driving}: {locals}";
    }

    // ---- invariants
    // ------------------------------------------------------------------------------------------------

    private void Check()
    {
        long word = _shared.Word;
        Phase phase = PhaseWord.PhaseOf(word);
        int parked =
            _locals.Count(local => local.At == At.Parked && PhaseWord.IsStopping(word, local.Attempt));
        int counted =
            _locals.Count(local => IsCounted(local.At)) + _locals.Count(local => local.At == At.Parked) -
            parked;
        int critical = _locals.Count(local => local.At is At.InCritical or At.DeadInCritical);
        Require(PhaseWord.Holds(word), "an invariant of the word");
        Require(
            PhaseWord.RunningOf(word) == counted, $"running is {PhaseWord.RunningOf(word)}, {counted} run");
        int held = phase is Phase.Sync or Phase.Capture ? parked : critical;
        Require(PhaseWord.HeldOf(word) == held, $"held is {PhaseWord.HeldOf(word)}, not {held}");
        Require(
            phase is not (Phase.Async or Phase.Sync or Phase.Capture) || critical == 0,
            "a critical section is open in a checkpoint");
        Require(phase != Phase.Capture || counted == 0, "somebody runs in Capture");
        Require(_shared.AsyncWins <= 1 && _shared.CaptureWins <= 1, "two winners of a phase");
        Require(
            _shared.Driving is not (Driving.Captured or Driving.Release) || phase == Phase.Capture,
            "the capture ended by itself");
    }

    private static bool IsCounted(At at) =>
        at is At.Running or At.PollReadsWord or At.InCritical or At.EnteringCritical
            or At.TakingPending or At.TryingCritical or At.Preparing or At.Parking or At.WaitingForLock or
            At.Dead
            or At.DeadInCritical;

    private static void Require(bool holds, string what)
    {
        if (!holds) throw new ModelViolationException(what);
    }

    // ---- participants
    // ----------------------------------------------------------------------------------------------

    private void ExpandParticipant(int index, ModelState state)
    {
        Load(state);
        Local local = _locals[index];
        if (local.MustNotify)
        {
            Notify();
            Go(state, index, local.Notified(), obligatory: true);
            return;
        }

        if (local.Sleep == Sleep.AboutTo)
        {
            bool sleeps = !rules.ComparesBeforeSleeping
                || (IsAtAnnouncement(local) ? _shared.IsAnnounced : _shared.Half == local.Half);
            Go(state, index, local.With(sleeps ? Sleep.Asleep : Sleep.Awake), obligatory: true);
            return;
        }

        if (local.Sleep == Sleep.Asleep)
        {
            if (local.At == At.WaitingForLock) Go(state, index, Local.Of(At.Running), obligatory: false);
            return;
        }

        Step(state, index, local);
    }

    private void Step(ModelState state, int index, Local local)
    {
        long word = _shared.Word;
        Phase phase = PhaseWord.PhaseOf(word);
        int attempt = PhaseWord.AttemptOf(word);
        switch (local.At)
        {
            case At.Out:
                if (freedom.HasFlag(Freedom.Join))
                    Go(state, index, Local.Of(At.Attaching), obligatory: false);
                break;
            case At.Attaching:
                ChangeOrSleep(state, index, local, rules.Attach, Local.Of(At.Running));
                break;
            case At.Running:
                StepRunning(state, index);
                break;
            case At.PollReadsWord:
                Go(
                    state, index,
                    phase == Phase.Sync ? Local.Of(At.Preparing, attempt) : Local.Of(At.Running),
                    obligatory: true);
                break;
            case At.InCritical:
                Change(state, index, rules.ExitCritical, TakingPending(), obligatory: true);
                if (freedom.HasFlag(Freedom.Die))
                    Go(state, index, Local.Of(At.DeadInCritical), obligatory: false);
                break;
            case At.Blocked:
                Go(state, index, Local.Of(At.Rejoining), obligatory: false);
                if (freedom.HasFlag(Freedom.Die)) Go(state, index, Local.Of(At.Out), obligatory: false);
                break;
            case At.Rejoining:
                ChangeOrSleep(
                    state, index, local, rules.Rejoin,
                    phase == Phase.Sync ? Local.Of(At.Preparing, attempt) : Local.Of(At.Running));
                break;
            case At.EnteringCritical:
                if (phase == Phase.Sync) Go(state, index, Local.Of(At.Preparing, attempt), obligatory: true);
                else ChangeOrSleep(state, index, local, PhaseWord.TryEnterCritical, Local.Of(At.InCritical));
                break;
            case At.TakingPending:
                TakePending(state, index, local);
                break;
            case At.TryingCritical:
                TryCritical(state, index, local);
                break;
            case At.Preparing:
                Go(state, index, Local.Of(At.Parking, local.Attempt), obligatory: true);
                if (freedom.HasFlag(Freedom.HandlerAbort))
                {
                    if (PhaseWord.IsStopping(word, local.Attempt)) _shared.IsRequested = true;
                    Go(state, index, Local.Of(
                        At.Parking, local.Attempt, mustNotify: true), obligatory: false);
                }

                break;
            case At.Parking:
                Park(state, index, local);
                break;
            case At.Parked:
                Go(
                    state, index,
                    PhaseWord.IsStopping(word, local.Attempt)
                        ? local.FallingAsleep(_shared.Half)
                        : Local.Of(At.Running),
                    obligatory: true);
                break;
            case At.WaitingForLock:
                Go(
                    state, index,
                    phase == Phase.Sync ? Local.Of(At.Preparing, attempt) : local.FallingAsleep(_shared.Half),
                    obligatory: true);
                break;
        }
    }

    private void StepRunning(ModelState state, int index)
    {
        Go(state, index, Local.Of(_shared.Hint ? At.PollReadsWord : At.Running), obligatory: true);
        if (freedom.HasFlag(Freedom.Leave))
            Change(state, index, rules.Stop, Local.Of(At.Out), obligatory: false);
        if (freedom.HasFlag(Freedom.Die)) Go(state, index, Local.Of(At.Dead), obligatory: false);
        if (freedom.HasFlag(Freedom.Block))
            Change(state, index, rules.Stop, Local.Of(At.Blocked), obligatory: false);
        if (freedom.HasFlag(Freedom.Critical))
            Go(state, index, Local.Of(At.EnteringCritical), obligatory: false);
        if (freedom.HasFlag(Freedom.Critical))
            Go(state, index, Local.Of(At.TryingCritical), obligatory: false);
        if (freedom.HasFlag(Freedom.Lock)) Go(state, index, Local.Of(At.WaitingForLock), obligatory: false);
    }

    /// <summary>
    /// About to leave the critical section: what is pending now is to be taken before it goes on.
    /// </summary>
    private Local TakingPending()
    {
        int attempt = PhaseWord.AttemptOf(_shared.Word);
        if (_shared.IsAnnounced && PhaseWord.PhaseOf(_shared.Word) == Phase.Idle)
            return Local.Of(At.TakingPending, attempt + 1).Owing();
        return PhaseWord.PhaseOf(_shared.Word) == Phase.Pending
            ? Local.Of(At.TakingPending, attempt).Owing()
            : Local.Of(At.TakingPending);
    }

    /// <summary>Two looks: at the announcement, then at the phase.</summary>
    private void TakePending(ModelState state, int index, Local local)
    {
        long word = _shared.Word;
        Phase phase = PhaseWord.PhaseOf(word);
        if (IsAtAnnouncement(local))
        {
            bool waits = _shared.IsAnnounced && rules.ExitLooksAtTheAnnouncement;
            Go(state, index, waits ? local.FallingAsleep(0) : AfterLook(local), obligatory: true);
            return;
        }

        Go(state, index, phase switch
        {
            Phase.Sync => Local.Of(At.Preparing, PhaseWord.AttemptOf(word)),
            Phase.Pending or Phase.Async => local.FallingAsleep(_shared.Half),
            _ => AfterLook(local),
        }, obligatory: true);
    }

    private bool IsAtAnnouncement(Local local) =>
        local.At == At.TakingPending && local.HasLooked == rules.ExitLooksAtThePhaseFirst;

    private Local AfterLook(Local local)
    {
        if (!local.HasLooked) return local.Looked();
        int attempt = PhaseWord.AttemptOf(_shared.Word);
        Phase phase = PhaseWord.PhaseOf(_shared.Word);
        bool isPending = local.Attempt == attempt
            ? phase is Phase.Pending or Phase.Async or Phase.Sync
            : _shared.IsAnnounced && local.Attempt == attempt + 1;
        Require(!local.Owes || !isPending, "a critical section was left and what was pending is not taken");
        return Local.Of(At.Running);
    }

    /// <summary>Tries to enter until it may.</summary>
    private void TryCritical(ModelState state, int index, Local local)
    {
        long word = _shared.Word;
        bool isEntered = PhaseWord.TryEnterCritical(word, out long next);
        if (isEntered) Apply(next);
        bool takesPart = PhaseWord.PhaseOf(word) == Phase.Sync && rules.RefusedTryIsSafepoint;
        Local after = isEntered ? Local.Of(At.InCritical)
            : takesPart ? Local.Of(At.Preparing, PhaseWord.AttemptOf(word))
            : local;
        Go(state, index, after, obligatory: true);
    }

    private void Park(ModelState state, int index, Local local)
    {
        (bool isParked, long next) = rules.Park(_shared.Word, local.Attempt);
        bool won = isParked && Apply(next);
        Go(
            state, index,
            isParked ? Local.Of(At.Parked, local.Attempt, won && rules.WinnerNotifies) : Local.Of(At.Running),
            obligatory: true);
    }

    private void Change(ModelState state, int index, Rule rule, Local after, bool obligatory)
    {
        Load(state);
        Require(rule(_shared.Word, out long next), "a change was refused that its author may always make");
        bool won = Apply(next);
        Go(state, index, won && rules.WinnerNotifies
            ? new Local((ushort)(after.Bits | 0x8000)) : after, obligatory);
    }

    private void ChangeOrSleep(ModelState state, int index, Local local, Rule rule, Local after)
    {
        if (rule(_shared.Word, out long next))
        {
            Apply(next);
            Go(state, index, after, obligatory: true);
        }
        else
        {
            Go(state, index, local.FallingAsleep(_shared.Half), obligatory: true);
        }
    }

    // ---- the coordinator
    // -------------------------------------------------------------------------------------------

    private void ExpandCoordinator(ModelState state)
    {
        Phase phase = PhaseWord.PhaseOf(_shared.Word);
        switch (_shared.Driving)
        {
            case Driving.Idle:
                if (_shared.Done == checkpoints) break;
                _shared.IsAnnounced = true;
                Drive(state, Driving.Announced);
                break;
            case Driving.Announced:
                if (freedom.HasFlag(Freedom.CoordinatorAbort))
                    Drive(state, Driving.Withdraw, obligatory: false);
                Begin(state);
                break;
            case Driving.EndAnnouncement:
                _shared.IsAnnounced = false;
                Drive(state, Driving.BeginWake);
                break;
            case Driving.BeginWake:
                WakeAtAnnouncement(state, Driving.PendingLook);
                break;
            case Driving.Withdraw:
                Withdraw(state);
                break;
            case Driving.WithdrawWake:
                WakeAtAnnouncement(state, Driving.Idle);
                break;
            case Driving.PendingLook or Driving.SyncLook:
                _shared.IsStale = false;
                Drive(state, _shared.Driving + 1);
                break;
            case Driving.PendingCheck:
                if (phase != Phase.Pending) Drive(state, Driving.Hint);
                else WaitOn(state, Driving.Unhint);
                break;
            case Driving.SyncCheck:
                if (_shared.IsRequested) Drive(state, Driving.Unhint);
                else if (phase != Phase.Sync) Captured(state);
                else WaitOn(state, Driving.DeadlineAbort);
                break;
            case Driving.PendingAboutToSleep or Driving.SyncAboutToSleep:
                Drive(state, _shared.IsStale ? _shared.Driving - 2 : _shared.Driving + 1);
                break;
            case Driving.PendingAsleep or Driving.SyncAsleep:
                if (_locals.Any(local => local.At is At.Dead or At.DeadInCritical))
                    Drive(state, _shared.Driving - 3);
                else if (freedom.HasFlag(Freedom.CoordinatorAbort))
                    Drive(state, _shared.Driving - 3, obligatory: false);
                break;
            case Driving.Hint:
                _shared.Hint = true;
                Drive(state, Driving.Raise);
                if (freedom.HasFlag(Freedom.CoordinatorAbort))
                    Drive(state, Driving.Unhint, obligatory: false);
                break;
            case Driving.Raise:
                Apply(state, rules.Raise, Driving.RaiseWake);
                break;
            case Driving.RaiseWake:
                Wake(state, rules.WakesOnRaise, Driving.SyncLook);
                break;
            case Driving.DeadlineAbort:
                _shared.Hint = false;
                if (phase != Phase.Sync) Drive(state, Driving.SyncLook);
                else Apply(state, rules.Abort, Driving.AbortWake);
                break;
            case Driving.Captured:
                _shared.Hint = false;
                Drive(state, Driving.Release);
                if (freedom.HasFlag(Freedom.CoordinatorAbort))
                    Drive(state, Driving.Unhint, obligatory: false);
                break;
            case Driving.Release:
                Apply(state, rules.Release, Driving.ReleaseWake);
                break;
            case Driving.ReleaseWake:
                Wake(state, rules.WakesOnRelease, Driving.Advance);
                break;
            case Driving.Advance:
                Apply(state, PhaseWord.TryAdvance, phase == Phase.Commit ? Driving.Idle : Driving.Advance);
                break;
            case Driving.Unhint:
                _shared.Hint = false;
                Drive(state, Driving.Abort);
                break;
            case Driving.Abort:
                Apply(state, rules.Abort, Driving.AbortWake);
                break;
            case Driving.AbortWake:
                Wake(state, wakes: true, Driving.Idle);
                break;
        }
    }

    private void Begin(ModelState state)
    {
        Require(PhaseWord.TryBegin(_shared.Word, out long next), "an attempt began outside Idle");
        _shared = _shared with
        {
            Done = _shared.Done + 1,
            AsyncWins = 0,
            CaptureWins = 0,
            IsRequested = false,
            IsStale = false
        };
        Apply(next);
        Drive(state, Driving.EndAnnouncement);
    }

    /// <summary>There will be no attempt for the announcement, so nobody owes it.</summary>
    private void Withdraw(ModelState state)
    {
        _shared.IsAnnounced = false;
        _shared.Done++;
        for (int index = 0; index < participants; index++)
        {
            if (_locals[index].Attempt == PhaseWord.AttemptOf(_shared.Word) + 1)
                _locals[index] = _locals[index].Excused();
        }

        Drive(state, Driving.WithdrawWake);
    }

    /// <summary>Not there yet: removes one of the dead, gives up, or goes to sleep.</summary>
    private void WaitOn(ModelState state, Driving deadline)
    {
        Driving check = _shared.Driving;
        int dead = Array.FindIndex(_locals, local => local.At is At.Dead or At.DeadInCritical);
        if (dead >= 0)
        {
            Rule rule = _locals[dead].At == At.Dead ? rules.Stop : PhaseWord.TryStopCritical;
            Require(rule(_shared.Word, out long next), "a dead participant cannot be removed");
            if (Apply(next)) _shared.IsStale = true;
            _locals[dead] = Local.Of(At.Out);
            Drive(state, check - 1);
            return;
        }

        Drive(state, check + 1);
        if (freedom.HasFlag(Freedom.CoordinatorAbort)) Drive(state, deadline, obligatory: false);
    }

    private void Captured(ModelState state)
    {
        Require(_shared.CaptureWins == 1, "a capture without a winner");
        Drive(state, Driving.Captured);
    }

    private void Apply(ModelState state, Rule rule, Driving next)
    {
        Require(
            rule(_shared.Word, out long word), $"the coordinator's change was refused in {_shared.Driving}");
        Apply(word);
        Drive(state, next);
    }

    private void Wake(ModelState state, bool wakes, Driving next)
    {
        for (int index = 0; wakes && index < participants; index++)
        {
            if (_locals[index].Sleep == Sleep.Asleep && !IsAtAnnouncement(_locals[index]))
                _locals[index] = _locals[index].With(Sleep.Awake);
        }

        Drive(state, next);
    }

    private void WakeAtAnnouncement(ModelState state, Driving next)
    {
        for (int index = 0; rules.WakesAtTheEndOfAnAnnouncement && index < participants; index++)
        {
            if (_locals[index].Sleep == Sleep.Asleep && IsAtAnnouncement(_locals[index]))
                _locals[index] = _locals[index].With(Sleep.Awake);
        }

        Drive(state, next);
    }

    private void Drive(ModelState state, Driving next, bool obligatory = true)
    {
        Driving before = _shared.Driving;
        _shared.Driving = next;
        _emit(Store(), obligatory);
        _shared.Driving = before;
        _ = state;
    }

    // ---- mechanics
    // -------------------------------------------------------------------------------------------------

    /// <summary>Writes the word; true when that moved the phase.</summary>
    private bool Apply(long next)
    {
        Phase before = PhaseWord.PhaseOf(_shared.Word);
        Phase after = PhaseWord.PhaseOf(next);
        _shared.Word = next;
        if (before == after) return false;
        if (after == Phase.Async) _shared.AsyncWins++;
        if (after == Phase.Capture) _shared.CaptureWins++;
        return true;
    }

    private void Notify()
    {
        _shared.IsStale = true;
        if (_shared.Driving is Driving.PendingAsleep or Driving.SyncAsleep) _shared.Driving -= 3;
    }

    private void Go(ModelState state, int index, Local next, bool obligatory)
    {
        _locals[index] = next;
        _emit(Store(), obligatory);
        Load(state);
    }

    private void Load(ModelState state)
    {
        for (int index = 0; index < participants; index++)
            _locals[index] = new Local((ushort)(state.Locals >> (16 * index)));
        _shared = Shared.Unpack(state.Shared);
    }

    private ModelState Store() => new(Pack(_locals), _shared.Pack());

    /// <summary>Participants are alike: states that differ only in who is who are one.</summary>
    private static ulong Pack(Local[] locals)
    {
        Span<ushort> sorted = stackalloc ushort[locals.Length];
        for (int index = 0; index < locals.Length; index++) sorted[index] = locals[index].Bits;
        sorted.Sort();
        ulong packed = 0;
        for (int index = 0; index < sorted.Length; index++) packed |= (ulong)sorted[index] << (16 * index);
        return packed;
    }
}

/// <summary>The model has reached a state, or a set of states, that the protocol forbids.</summary>
public sealed class ModelViolationException(string message) : Exception(message);
