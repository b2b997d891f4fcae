using System.Diagnostics;
using Snapshot.Base;
using Snapshot.Threads.Fibers;

namespace Snapshot.Coordination;

/// <summary>
/// The session's side of the protocol: who takes part, which handlers there are, and the one open attempt.
/// </summary>
/// <remarks>
/// Thread-safe, except that an <see cref="Attempt"/> is driven by one thread at a time. The call sequence of a
/// checkpoint: <c>Begin, PrepareAsync, Stop, (capture), Release, (drain), BeginCommit, (commit), Complete</c>; every
/// failure up to the release is an abort that is complete when the exception arrives.
/// </remarks>
internal sealed class Coordinator : IDisposable
{
    internal static readonly TimeSpan GateTimeoutDefault = TimeSpan.FromSeconds(60);

    private readonly ParticipantTable _table = new();
    private readonly AsyncHandlers _async = new();
    private readonly OwnerIds _ids = new();
    private Attempt? _attempt;
    private SnapshotException? _failure;
    private SnapshotException? _refusal;
    private volatile bool _isDisposed;

    /// <param name="gates">Where participants wait that do not say otherwise.</param>
    /// <param name="gateTimeout">How long they wait there; null: <see cref="GateTimeoutDefault"/>.</param>
    internal Coordinator(Gates gates = Gates.None, TimeSpan? gateTimeout = null)
    {
        Gates = gates;
        GateTimeout = gateTimeout ?? GateTimeoutDefault;
    }

    internal Gates Gates { get; }

    internal TimeSpan GateTimeout { get; }

    internal PhaseBarrier Barrier { get; } = new();

    internal RestartLedger Ledger { get; } = new();

    internal Phase Phase => PhaseWord.PhaseOf(Barrier.Read());

    /// <summary>Called for what handlers throw where that undoes nothing. Any thread; must not throw.</summary>
    internal Action<HandlerError>? HandlerFailed { get; set; }

    /// <summary>
    /// Called with the name of each participant whose thread ended without leaving. Any thread; must not throw.
    /// </summary>
    internal Action<string>? ParticipantDied { get; set; }

    /// <summary>Whether threads are attached that are alive.</summary>
    internal bool HasParticipants => _table.ToArray().Any(participant => participant.IsThreadAlive);

    internal Attempt? OpenAttempt => Volatile.Read(ref _attempt);

    internal ParticipantTable Table => _table;

    internal AsyncHandlers Async => _async;

    /// <summary>
    /// Why the calling thread must not wait for a checkpoint: it is inside a handler part or a critical section, so
    /// that none can complete while it waits. Null when it may wait.
    /// </summary>
    internal static string? WhyWaitingWouldDeadlock()
    {
        if (LockOwner.Current is FiberScheduler { WhyNoCheckpoint: var why, OwnerName: var who })
            return why is null ? null : $"{who} is {why}";
        if (Participant.Current is { } participant)
        {
            return participant.Part.Describe() is { } where ? $"participant '{participant.Name}' is {where}"
                : participant.IsInCriticalSection ? $"participant '{participant.Name}' is in a critical section"
                : null;
        }

        return LockOwner.Current is AsyncHandlerOwner owner ? $"the thread is {owner.Part.Describe()}" : null;
    }

    /// <summary>Enrols the calling thread. Waits while participants are stopped for a checkpoint.</summary>
    /// <exception cref="InvalidOperationException">The thread is a participant already, or the handler
    /// thread.</exception>
    /// <exception cref="SnapshotException">Name, RestartFailed, or ArenaFull when there are too many.</exception>
    internal Participant Attach(string name, ParticipantOptions? options = null)
    {
        RecordedName.ThrowIfUnusable(name);
        ThrowIfUnusable();
        if (LockOwner.Current is { } owner)
            throw new InvalidOperationException(
                $"This thread acts as {owner.OwnerName} already; a thread is one participant at a time.");
        options ??= new ParticipantOptions();
        RemoveDead();
        Participant participant = new(this, name, _ids.Get(OwnerKind.Participant, name), options);
        _table.Add(participant);
        while (!Barrier.TryAttach(out long word))
            Barrier.Sleep(word);
        participant.MarkJoined();
        try
        {
            participant.Settle(options);
        }
        catch
        {
            participant.Dispose();
            throw;
        }

        return participant;
    }

    /// <summary>
    /// Registers an async handler. If the image restarted from names it, it is resumed on the handler thread,
    /// concurrently.
    /// </summary>
    internal HandlerRegistration RegisterHandler(string name, ICheckpointHandler handler)
    {
        ThrowIfUnusable();
        RecordedName.ThrowIfUnusable(name);
        (handler as INamedHandler)?.Name($"handler '{name}'");
        AsyncHandlerOwner owner = new(_ids.Get(OwnerKind.Handler, name), name, _async.Part);
        HandlerRegistration registration = _async.List.Add(name, handler, owner);
        if (Ledger.TryClaim(null, name))
        {
            HandlerEntry entry = registration.Entry;
            _async.Post(() =>
            {
                AwaitCaptureToEnd();
                ResumeRestarted(entry, _async.Part, participant: null);
            });
        }

        return registration;
    }

    /// <summary>Opens an attempt and waits until no critical section is open.</summary>
    /// <param name="generation">The generation it will have.</param>
    /// <param name="timeout">From now until every participant must have come.</param>
    /// <param name="cancellation">Aborts the attempt up to the capture.</param>
    /// <exception cref="SnapshotException">Busy, TimedOut (naming who is in a critical section) or
    /// RestartFailed; no attempt is open then.</exception>
    /// <exception cref="OperationCanceledException">No attempt is open.</exception>
    internal Attempt Begin(long generation, TimeSpan timeout, CancellationToken cancellation = default) =>
        Begin(generation, timeout, isBrief: false, cancellation);

    /// <summary>
    /// Stops the participants for something that must not see anybody write, and lets them go on. No handler runs, and
    /// nobody is told. The checkpoint that follows is announced, for those who leave a critical section meanwhile.
    /// </summary>
    /// <param name="generation">The generation that the checkpoint will be.</param>
    /// <param name="timeout">From now until every participant must have come.</param>
    /// <param name="work">What is to be done meanwhile. What it throws is thrown, and participants go on.</param>
    /// <param name="cancellation">Gives up until everybody has stopped.</param>
    /// <returns>How long the application stood still.</returns>
    /// <exception cref="SnapshotException">As <see cref="Begin(long, TimeSpan, CancellationToken)"/> and
    /// <see cref="Attempt.Stop"/>.</exception>
    internal TimeSpan StopBriefly(long generation, TimeSpan timeout, Action work, CancellationToken cancellation)
    {
        using Attempt attempt = Begin(generation, timeout, isBrief: true, cancellation);
        attempt.PrepareAsync(meanwhile: () => { });
        attempt.Stop();
        work();
        Barrier.Announce();
        attempt.Release();
        attempt.BeginCommit();
        attempt.Complete();
        return Stopwatch.GetElapsedTime(attempt.FirstStopped, attempt.Released);
    }

    private Attempt Begin(long generation, TimeSpan timeout, bool isBrief, CancellationToken cancellation)
    {
        ThrowIfUnusable();
        if (Volatile.Read(ref _refusal) is { } refusal)
            throw new SnapshotException(refusal.Code, refusal.Message, refusal.InnerException);
        cancellation.ThrowIfCancellationRequested();
        Attempt attempt = new(this, generation, timeout, isBrief, cancellation);
        if (Interlocked.CompareExchange(ref _attempt, attempt, null) is { } other)
            throw new SnapshotException(
                SnapshotErrorCode.Busy,
                $"Checkpoint {other.Generation} is running (phase {Phase}); wait for it before asking for another.")
            {
                Generation = other.Generation,
            };
        attempt.Begin();
        return attempt;
    }

    /// <summary>The id of a participant of that name, whether it is attached or not, as an owner of locks.</summary>
    internal int OwnerIdOf(string name) => _ids.Get(OwnerKind.Participant, name);

    /// <summary>What the image keeps: as captured while an attempt is past its capture, else as it is now.</summary>
    internal CoordinationState Export()
    {
        if (OpenAttempt is not { IsCaptured: true } attempt)
        {
            return Export(
                Ledger.Generation, _table.ToArray().Select(ToState), _async.List.Enabled, atCapture: false);
        }

        List<ParticipantState> participants = [];
        foreach (CapturedParticipant captured in _table.Captured)
        {
            if (!captured.IsOmitted)
                participants.Add(new ParticipantState(
                    captured.Participant.Name, captured.Participant.Stacks, Names(captured.Handlers)));
        }

        return Export(attempt.Generation, participants, attempt.AsyncEntries, atCapture: true);
    }

    /// <summary>In a restarted session, before anybody attaches or registers: what the image kept.</summary>
    internal void Restore(CoordinationState state)
    {
        _ids.Restore(state.Ids);
        Ledger.Expect(state);
    }

    /// <summary>Nobody may attach or begin any longer; participants may still leave. No attempt may be open.</summary>
    public void Dispose()
    {
        if (_isDisposed)
            return;
        _isDisposed = true;
        _async.Close();
    }

    /// <summary>
    /// No checkpoint is taken any more, nor is the one that runs: it would capture what can never go on. The first
    /// cause stays. To be called by a participant that is still attached, so that no capture comes between.
    /// </summary>
    internal void RefuseCheckpoints(Exception cause)
    {
        SnapshotException refusal = new(
            SnapshotErrorCode.FiberFailed,
            $"No checkpoint is taken any more, since it would capture fibers that cannot go on: {cause.Message} The " +
            "newest generation is from before that; restart from it.",
            cause);
        Interlocked.CompareExchange(ref _refusal, refusal, null);
        OpenAttempt?.RequestAbort(refusal);
    }

    internal void ThrowIfFailed()
    {
        if (Volatile.Read(ref _failure) is { } failure)
            throw new SnapshotException(failure.Code, failure.Message, failure.InnerException)
            {
                Generation = failure.Generation,
            };
    }

    private void ThrowIfUnusable()
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        ThrowIfFailed();
    }

    /// <summary>
    /// Runs one claimed handler's resume part with Restarted; what it throws fails the restart for everybody.
    /// </summary>
    internal void ResumeRestarted(HandlerEntry entry, HandlerPart part, string? participant)
    {
        if (Volatile.Read(ref _failure) is not null)
            return;
        CheckpointOutcome outcome = new(CheckpointOutcomeKind.Restarted, Ledger.Generation);
        HandlerError? error = null;
        HandlerRun.Resume([entry], outcome, part, participant, thrown => error = thrown);
        if (error is null)
            Ledger.MarkResumed(participant, entry.Name);
        else
            FailRestart(
                $"The restart from generation {Ledger.Generation} failed: the resume part of handler '{entry.Name}'" +
                $"{(participant is null ? "" : $" of participant '{participant}'")} threw " +
                $"{error.Exception.GetType().Name}: {error.Exception.Message} The session cannot go on; restart " +
                "again, from an older generation if it persists.",
                error.Exception);
    }

    /// <summary>
    /// Memory of the image turned out not to be had after the session had begun: every safepoint and every checkpoint
    /// says so from now on.
    /// </summary>
    internal void FailRestart(SnapshotException damage) => FailRestart(
        $"The restart from generation {Ledger.Generation} failed after the session had begun, since memory that was " +
        $"still to come cannot be restored: {damage.Message}",
        damage);

    /// <summary>
    /// The handler thread is about to run a part that belongs to no attempt and writes memory. If the prepare parts of
    /// the open attempt have run, memory may be captured at any moment: waits until it was. Otherwise they are behind
    /// this in the thread's queue, and the attempt waits for them.
    /// </summary>
    private void AwaitCaptureToEnd()
    {
        while (true)
        {
            long word = Barrier.Read();
            if (PhaseWord.PhaseOf(word) is not (Phase.Async or Phase.Sync or Phase.Capture)) return;
            Attempt? attempt = OpenAttempt;
            if (attempt is { IsAsyncDone: false }) return;
            if (attempt is not null && attempt.Number == PhaseWord.AttemptOf(word)) Barrier.Sleep(word);
        }
    }

    internal void AwaitRestartGate()
    {
        if (!Ledger.AwaitComplete(GateTimeout))
            FailRestart(
                $"The restart from generation {Ledger.Generation} failed: these did not resume within {GateTimeout}: " +
                $"{Ledger.DescribeMissing()}. Register every handler the image names (sync ones through " +
                "ParticipantOptions.Handlers), or do without the gate.",
                cause: null);
    }

    internal void Report(HandlerError error) => HandlerFailed?.Invoke(error);

    /// <summary>Leaves on behalf of the participant's own thread.</summary>
    internal void Remove(Participant participant)
    {
        if (participant.TryStopForGood())
            _table.Remove(participant);
    }

    /// <summary>Removes participants whose threads ended without leaving, so that nobody waits for them.</summary>
    internal void RemoveDead()
    {
        while (_table.TakeDead() is { } dead)
        {
            if (!dead.TryStopForGood())
                continue;
            OpenAttempt?.NoteDead(dead.Name);
            ParticipantDied?.Invoke(dead.Name);
        }
    }

    internal void Close(Attempt attempt) => Interlocked.CompareExchange(ref _attempt, null, attempt);

    /// <summary>Which handler parts run now.</summary>
    internal string DescribeParts()
    {
        IEnumerable<string> parts = _table.ToArray().Where(busy => busy.Part.IsRunning).Select(busy => busy.Describe());
        if (_async.Part.Describe() is { } part)
            parts = parts.Prepend($"the handler thread {part}");
        return string.Join("; ", parts);
    }

    private CoordinationState Export(
        long generation, IEnumerable<ParticipantState> participants, HandlerEntry[] handlers, bool atCapture)
    {
        IEnumerable<ParticipantState> all = participants.Concat(Ledger.MissingParticipants(atCapture))
            .GroupBy(participant => participant.Name)
            .Select(
                group => new ParticipantState(
                    group.Key,
                    group.Max(state => state.Stacks),
                    [.. group.SelectMany(state => state.Handlers).Distinct()]));
        IEnumerable<string> names = Names(handlers).Concat(Ledger.MissingHandlers(atCapture)).Distinct();
        return new CoordinationState(generation, _ids.Export(), [.. all], [.. names]);
    }

    private static ParticipantState ToState(Participant participant) =>
        new(participant.Name, participant.Stacks, Names(participant.Handlers.Enabled));

    private static string[] Names(HandlerEntry[] handlers) => [.. handlers.Select(handler => handler.Name)];

    private void FailRestart(string message, Exception? cause)
    {
        SnapshotException failure = new(SnapshotErrorCode.RestartFailed, message, cause)
        {
            Generation = Ledger.Generation,
        };
        if (Interlocked.CompareExchange(ref _failure, failure, null) is not null)
            return;
        // Polls know before anybody learns of it from the gate.
        Barrier.MarkFailed();
        Ledger.Fail();
    }
}
