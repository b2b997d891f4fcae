using System.Diagnostics;
using System.Runtime.CompilerServices;
using Snapshot.Base;
using Snapshot.Coordination;
using Snapshot.Interop;
using Snapshot.Threads.Fibers;

namespace Snapshot;

/// <summary>A thread that takes part in the checkpoints of a session.</summary>
/// <remarks>
/// Bound to the thread that attached: every member but <see cref="Name"/>, <see cref="Id"/>,
/// <see cref="Activity"/> and <see cref="Dispose"/> throws <see cref="InvalidOperationException"/> on another
/// one (<see cref="Poll"/> notices it only while something is pending). So attach in a method that is not
/// <c>async</c>. Between two safepoints (a poll, the entry and exit of a critical section or blocked region,
/// a refused try to enter, a wait for an arena lock) a participant is never stopped. It must not end without
/// <see cref="Dispose"/>; if its thread does, the next checkpoint removes it.
/// </remarks>
public sealed unsafe partial class Participant : IDisposable
{
    [ThreadStatic]
    private static Participant? s_current;

    private readonly ParticipantTable _table;
    private readonly Rendezvous _rendezvous;
    private readonly Resumption _resumption;
    private readonly PhaseBarrier _barrier;
    private readonly int* _hint;
    private readonly Thread _thread;
    private readonly int _threadId;
    private readonly Gates _gates;
    private readonly ParticipantLockOwner _owner;
    private readonly CommitMailbox _commits = new();

    /// <summary>
    /// Not zero when a slow path has something to do for this participant alone. Pinned, since fibers poll it
    /// too.
    /// </summary>
    private readonly int[] _attention = GC.AllocateArray<int>(1, pinned: true);
    private int _isGone;

    /// <summary>
    /// Whether this participant is in the word's running count; its own thread's knowledge.
    /// </summary>
    private bool _isCounted;
    private volatile string? _blockedOn;
    private volatile string? _activity;
    private volatile ParticipantStatus _status;

    /// <summary>Disposed where it could not leave.</summary>
    private volatile bool _isLeaving;

    internal Participant(
        ParticipantTable table, Resumption resumption, string name, int id, ParticipantOptions options)
    {
        _table = table;
        _rendezvous = table.Rendezvous;
        _resumption = resumption;
        _barrier = _rendezvous.Barrier;
        _hint = _barrier.Hint;
        _thread = Thread.CurrentThread;
        _threadId = Environment.CurrentManagedThreadId;
        _gates = options.Gates ?? _rendezvous.Gates;
        _owner = new ParticipantLockOwner(this);
        _activity = options.Activity;
        Name = name;
        Id = id;
    }

    /// <summary>The participant of the calling thread, or null.</summary>
    public static Participant? Current => s_current;

    /// <summary>
    /// The name, unique among the attached participants. After a restart it stands for the same one.
    /// </summary>
    public string Name { get; }

    /// <summary>
    /// A small number, at least 1, the same for the same name also after a restart; the owner of arena locks.
    /// </summary>
    public int Id { get; }

    /// <summary>
    /// What the participant does, in the program's words. Messages show it when a checkpoint waits for it.
    /// Any thread.
    /// </summary>
    public string? Activity
    {
        get => _activity;
        set => _activity = value;
    }

    internal HandlerList Handlers { get; } = new();

    internal HandlerPart Part { get; } = new();

    internal ParticipantStatus Status => _status;

    internal Rendezvous Rendezvous => _rendezvous;

    /// <summary>What polls read, as pointers that stay valid as long as the participant does.</summary>
    internal int* StopHint => _hint;

    /// <inheritdoc cref="StopHint"/>
    internal int* AttentionHint => (int*)Unsafe.AsPointer(ref _attention[0]);

    /// <summary>
    /// What the stacks are that it stands for: its own, which is not captured, or those in an arena.
    /// </summary>
    internal ParticipantKind Kind { get; set; } = ParticipantKind.Polled;

    /// <summary>Others for whom it stands, or null.</summary>
    internal IStandsFor? StandsFor { get; set; }

    /// <summary>Tells more exactly what it does while it runs, or null. Any thread.</summary>
    internal Func<string?>? Doing { get; set; }

    /// <summary>Called when it is about to park: the last moment to change memory.</summary>
    internal Action? Stopping { get; set; }

    internal bool IsThreadAlive => _thread.IsAlive;

    /// <summary>Whether the thread waits for something, sleeps or joins another.</summary>
    internal bool IsThreadBlocked => (_thread.ThreadState & System.Threading.ThreadState.WaitSleepJoin) != 0;

    /// <summary>Whether a checkpoint waits until it comes to a safepoint. Its own thread only.</summary>
    internal bool IsAwaited => _isCounted;

    internal bool IsInCriticalSection => Volatile.Read(ref _criticalDepth) > 0;

    /// <summary>
    /// The last attempt this participant took part in, with the handlers it used. Read while it is parked.
    /// </summary>
    internal OpenAttempt? LastAttempt { get; private set; }

    internal HandlerEntry[] LastHandlers { get; private set; } = [];

    internal bool IsOmitted { get; private set; }

    internal long StoppedAt { get; private set; }

    internal long ArrivedAt { get; private set; }

    // ---- safepoints
    // ------------------------------------------------------------------------------------------------

    /// <summary>
    /// A safepoint. If no checkpoint is pending it returns at once (about a nanosecond). Else this thread
    /// takes part, and goes on after the pause. Does nothing inside a handler, a fiber, a critical section or
    /// a blocked region.
    /// </summary>
    /// <exception cref="SnapshotException"><see cref="SnapshotErrorCode.RestartFailed"/>: the session cannot
    /// go on.</exception>
    /// <exception cref="ObjectDisposedException">The participant has left.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Poll()
    {
        if ((Volatile.Read(ref *_hint) | Volatile.Read(ref _attention[0])) != 0) PollSlow();
    }

    /// <summary>Registers a sync handler: its parts run on this thread when a checkpoint stops it.</summary>
    /// <param name="name">
    /// Unique among this participant's handlers; by it a restart knows the handler again.
    /// </param>
    /// <param name="handler">The handler. If the image restarted from names it, it is resumed with Restarted
    /// before this returns.</param>
    /// <returns>The registration.</returns>
    /// <exception cref="SnapshotException"><see cref="SnapshotErrorCode.NameTaken"/>: the name is taken.
    /// <see cref="SnapshotErrorCode.RestartFailed"/>: its resume part threw after a restart.</exception>
    public HandlerRegistration RegisterHandler(string name, ICheckpointHandler handler)
    {
        ThrowIfUnusable();
        _rendezvous.ThrowIfFailed();
        HandlerRegistration registration = AddHandler(name, handler);
        ResumeIfRestarted(registration.Entry);
        return registration;
    }

    /// <summary>
    /// Leaves the session: checkpoints no longer wait for this thread. Harmless when repeated; never throws.
    /// </summary>
    /// <remarks>
    /// Only the participant's own thread can know that it has written its last to an arena. So on another
    /// thread (as after an <c>await</c>), or inside one of its handlers, this only notes the wish: the
    /// participant leaves at its thread's next <see cref="Poll"/>, or when that thread ends. A checkpoint
    /// that times out before names it, and says this.
    /// </remarks>
    public void Dispose()
    {
        if (Volatile.Read(ref _isGone) != 0) return;
        if (Environment.CurrentManagedThreadId != _threadId || Part.IsRunning)
        {
            _isLeaving = true;
            CallAttention();
            return;
        }

        DeliverCommits();
        if (TryStopForGood()) _table.Remove(this);
        s_current = null;
        LockOwner.Current = null;
    }

    // ---- for the coordinator
    // ---------------------------------------------------------------------------------------

    /// <summary>
    /// The thread is in the running count now and may be found through <see cref="Current"/>.
    /// </summary>
    internal void MarkJoined()
    {
        _isCounted = true;
        _status = ParticipantStatus.Running;
        s_current = this;
        LockOwner.Current = _owner;
    }

    /// <summary>
    /// Registers the handlers brought along, resumes those that an image names, and passes the gate.
    /// </summary>
    internal void TakeUp(ParticipantOptions options)
    {
        foreach ((string name, ICheckpointHandler handler) in options.Handlers) AddHandler(name, handler);
        foreach (HandlerEntry entry in Handlers.Enabled) ResumeIfRestarted(entry);
        if (_gates.HasFlag(Gates.OnRestart) && !_resumption.Ledger.IsComplete)
        {
            using (EnterBlockedRegion("the other handlers of the image, at the restart gate"))
                _resumption.AwaitRestartGate();
        }

        _rendezvous.ThrowIfFailed();
    }

    /// <summary>
    /// Takes the participant out of the word, once, whoever asks: its own thread, or the coordinator after
    /// that thread died (then everything it wrote is visible and nothing is half done, as threads of .NET end
    /// only by unwinding).
    /// </summary>
    /// <returns>False when that was done before.</returns>
    internal bool TryStopForGood()
    {
        if (Interlocked.Exchange(ref _isGone, 1) != 0) return false;
        _status = ParticipantStatus.Gone;
        if (Interlocked.Exchange(ref _attention[0], 1) != 0) StopSignal.Remove();
        if (_isCounted) _barrier.Stop(critical: _criticalDepth > 0);
        _isCounted = false;
        return true;
    }

    internal void Notify(CommitNotice notice)
    {
        _commits.Post(notice);
        CallAttention();
    }

    private void CallAttention()
    {
        if (Interlocked.Exchange(ref _attention[0], 1) == 0) StopSignal.Add();
    }

    /// <summary>
    /// Such as: participant 'w1' (thread 7 'worker'), running application code, activity 'sweep 12'.
    /// </summary>
    internal string Describe()
    {
        string doing = Part.Describe() ?? _status switch
        {
            ParticipantStatus.Blocked =>
                $"in a blocked region{(_blockedOn is { } what ? $" waiting for {what}" : "")}",
            ParticipantStatus.Waiting => "waiting for an arena lock",
            ParticipantStatus.AtCriticalSection => "waiting at a critical section",
            ParticipantStatus.AtGate => "waiting at the gate for the resume parts of others",
            ParticipantStatus.Parked => "parked",
            ParticipantStatus.Gone => "gone",
            ParticipantStatus.Joining => "attaching",
            _ => Doing?.Invoke()
                ?? (IsInCriticalSection ? "in a critical section" : "running application code") +
                (IsThreadBlocked ? ", blocked in a wait" : ""),
        };
        if (_isLeaving) doing += ", disposed by another thread or in a handler: it leaves at its next Poll()";
        string activity = _activity is { } text ? $", activity '{text}'" : "";
        string named = _thread.Name is { } name ? $" '{name}'" : "";
        return $"participant '{Name}' (thread {_thread.ManagedThreadId}{named}), {doing}{activity}";
    }

    // ---- waits
    // -----------------------------------------------------------------------------------------------------

    /// <summary>
    /// The wait of arena locks, and of anything that has a word: while asleep the participant stays counted
    /// and takes part as soon as a checkpoint stops participants. Inside a critical section or a handler it
    /// is a plain wait.
    /// </summary>
    /// <exception cref="SnapshotException"><see cref="SnapshotErrorCode.RestartFailed"/>.</exception>
    internal bool Wait(uint* word, uint expected, long timeoutNanoseconds)
    {
        ThrowIfUnusable();
        if (Part.IsRunning || _criticalDepth > 0) return Futex.Wait(word, expected, timeoutNanoseconds);
        _rendezvous.ThrowIfFailed();
        DeliverCommits();
        long seen = _barrier.Read();
        if (TakePartIfRaised(seen)) return true;
        _status = ParticipantStatus.Waiting;
        bool isInTime = _barrier.SleepEither(word, expected, seen, timeoutNanoseconds);
        _status = ParticipantStatus.Running;
        return TakePartIfRaised(_barrier.Read()) || isInTime;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void PollSlow()
    {
        ThrowIfNotMine();
        if (Part.IsRunning || _criticalDepth > 0 || _blockedDepth > 0 || IsInFiber) return;
        if (_isLeaving) Dispose();
        else AtSafepoint();
    }

    private void AtSafepoint()
    {
        _rendezvous.ThrowIfFailed();
        TakePartIfRaised(_barrier.Read());
        DeliverCommits();
    }

    // ---- taking part
    // -----------------------------------------------------------------------------------------------

    private bool TakePartIfRaised(long word)
    {
        if (PhaseWord.PhaseOf(word) != Phase.Sync) return false;
        OpenAttempt? attempt = _rendezvous.OpenAttempt;
        if (attempt is null || attempt.Number != PhaseWord.AttemptOf(word) || !attempt.TryEnterPart())
            return false;
        TakePart(attempt);
        return true;
    }

    /// <summary>The participant's side of one checkpoint.</summary>
    private void TakePart(OpenAttempt attempt)
    {
        StoppedAt = Stopwatch.GetTimestamp();
        if (StandsFor?.TryStop(() => PhaseWord.IsStopping(_barrier.Read(), attempt.Number)) == false)
        {
            attempt.LeavePart();
            return;
        }

        HandlerEntry[] handlers = attempt.IsBrief ? [] : Handlers.Enabled;
        int first = HandlerRun.Prepare(handlers, attempt, Part, isSync: true, out bool isOmitted);
        LastAttempt = attempt;
        LastHandlers = handlers;
        IsOmitted = isOmitted;
        ArrivedAt = Stopwatch.GetTimestamp();
        Stopping?.Invoke();
        _status = ParticipantStatus.Parked;
        _barrier.Park(attempt.Number);
        _status = ParticipantStatus.Running;
        CheckpointOutcome outcome = attempt.OutcomeFor(isOmitted);
        HandlerRun.Resume(handlers.AsSpan(first), outcome, Part, Name, attempt.Report);
        StandsFor?.Resume();
        attempt.LeavePart();
        if (!attempt.IsBrief && outcome.Kind != CheckpointOutcomeKind.Aborted &&
            _gates.HasFlag(Gates.OnContinue))
            PassContinueGate(attempt);
    }

    private void PassContinueGate(OpenAttempt attempt)
    {
        _status = ParticipantStatus.AtGate;
        attempt.AwaitResumed(_rendezvous.GateTimeout);
        _status = ParticipantStatus.Running;
        if (!attempt.IsResumed)
        {
            throw new SnapshotException(
                SnapshotErrorCode.GateTimeout,
                $"Participant '{Name}' waited {_rendezvous.GateTimeout} at the gate after checkpoint " +
                $"{attempt.Generation}, and these resume parts still run: {attempt.DescribeParts()}. If " +
                "one of them waits for what this participant holds, use no gate.")
            {
                Generation = attempt.Generation,
            };
        }
    }

    private HandlerRegistration AddHandler(string name, ICheckpointHandler handler)
    {
        (handler as INamedHandler)?.Name($"handler '{name}' of '{Name}'");
        return Handlers.Add(name, handler, owner: null);
    }

    private void ResumeIfRestarted(HandlerEntry entry)
    {
        if (!_resumption.Ledger.TryClaim(Name, entry.Name)) return;
        _resumption.ResumeRestarted(entry, Part, Name);
        _rendezvous.ThrowIfFailed();
    }

    private void DeliverCommits()
    {
        if (Volatile.Read(ref _attention[0]) == 0) return;
        if (Interlocked.Exchange(ref _attention[0], 0) != 0) StopSignal.Remove();
        while (_commits.TryTake(out CommitNotice notice))
            HandlerRun.Committed(notice.Handlers, notice.Generation, Part, Name, _rendezvous.Report);
        if (_isLeaving) CallAttention();
    }

    // ---- guards
    // ----------------------------------------------------------------------------------------------------

    private void ThrowIfUnusable()
    {
        ThrowIfNotMine();
        if (_blockedDepth > 0)
            throw new InvalidOperationException(
                $"Participant '{Name}' is inside a blocked region, where memory may be captured at any " +
                "moment; leave the region first.");
    }

    private void ThrowIfNotMine()
    {
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _isGone) != 0, this);
        if (Environment.CurrentManagedThreadId != _threadId)
            throw new InvalidOperationException(
                $"Participant '{Name}' belongs to thread {_threadId}; thread " +
                $"{Environment.CurrentManagedThreadId} must attach under a name of its own.");
    }
}
