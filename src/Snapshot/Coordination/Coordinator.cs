using System.Diagnostics;
using Snapshot.Base;
using Snapshot.Threads.Fibers;

namespace Snapshot.Coordination;

/// <summary>
/// The session's side of the protocol: who takes part, which handlers there are, and the one open attempt.
/// </summary>
/// <remarks>
/// Thread-safe, except that an <see cref="Attempt"/> is driven by one thread at a time. The call sequence of
/// a checkpoint: <c>Begin, PrepareAsync, Stop, (capture), Release, (drain), BeginCommit, (commit),
/// Complete</c>; every failure up to the release is an abort that is complete when the exception arrives.
/// </remarks>
internal sealed class Coordinator : IDisposable
{
    internal static readonly TimeSpan GateTimeoutDefault = TimeSpan.FromSeconds(60);

    private readonly Rendezvous _rendezvous;
    private readonly Resumption _resumption;
    private readonly ParticipantTable _table;
    private readonly AsyncHandlers _async = new();
    private readonly OwnerIds _ids = new();
    private volatile bool _isDisposed;

    /// <param name="gates">Where participants wait that do not say otherwise.</param>
    /// <param name="gateTimeout">How long they wait there; null: <see cref="GateTimeoutDefault"/>.</param>
    internal Coordinator(Gates gates = Gates.None, TimeSpan? gateTimeout = null)
    {
        _rendezvous = new Rendezvous(
            gates, gateTimeout ?? GateTimeoutDefault, error => HandlerFailed?.Invoke(error));
        _resumption = new Resumption(_rendezvous);
        _table = new ParticipantTable(_rendezvous, name => ParticipantDied?.Invoke(name));
    }

    internal PhaseBarrier Barrier => _rendezvous.Barrier;

    internal Phase Phase => _rendezvous.Phase;

    /// <summary>
    /// Called for what handlers throw where that undoes nothing. Any thread; must not throw.
    /// </summary>
    internal Action<HandlerError>? HandlerFailed { get; set; }

    /// <summary>
    /// Called with the name of each participant whose thread ended without leaving. Any thread; must not
    /// throw.
    /// </summary>
    internal Action<string>? ParticipantDied { get; set; }

    /// <summary>Whether threads are attached that are alive.</summary>
    internal bool HasParticipants => _table.ToArray().Any(participant => participant.IsThreadAlive);

    internal OpenAttempt? OpenAttempt => _rendezvous.OpenAttempt;

    internal ParticipantTable Table => _table;

    internal AsyncHandlers Async => _async;

    private RestartLedger Ledger => _resumption.Ledger;

    /// <summary>
    /// Why the calling thread must not wait for a checkpoint: it is inside a handler part or a critical
    /// section, so that none can complete while it waits. Null when it may wait.
    /// </summary>
    internal static string? WhyWaitingWouldDeadlock()
    {
        if (LockOwner.Current is FiberScheduler { WhyNoCheckpoint: var why, OwnerName: var who })
            return why is null ? null : $"{who} is {why}";
        if (Participant.Current is { } participant)
        {
            return participant.Part.Describe() is { } where ? $"participant '{participant.Name}' is {where}"
                : participant.IsInCriticalSection
                    ? $"participant '{participant.Name}' is in a critical section"
                : null;
        }

        return LockOwner.Current is AsyncHandlerOwner owner ? $"the thread is {owner.Part.Describe()}" : null;
    }

    /// <summary>
    /// Why the calling thread must not block, as it is about to, until a checkpoint of this coordinator is
    /// captured: the checkpoint waits for it. Null when it does not.
    /// </summary>
    internal string? WhyBlockingWouldDeadlock()
    {
        if (Participant.Current is { } participant)
        {
            if (participant.Rendezvous != _rendezvous || !participant.IsAwaited) return null;
            return WhyWaitingWouldDeadlock()
                ?? $"participant '{participant.Name}' blocks in application code";
        }

        return _async.IsCurrent ? $"the thread is {_async.Part.Describe() ?? "the handler thread"}" : null;
    }

    /// <summary>Enrols the calling thread. Waits while participants are stopped for a checkpoint.</summary>
    /// <exception cref="InvalidOperationException">The thread is a participant already, or the handler
    /// thread.</exception>
    /// <exception cref="SnapshotException">NameTaken, RestartFailed, or LimitReached.</exception>
    internal Participant Attach(string name, ParticipantOptions? options = null)
    {
        RecordedName.ThrowIfUnusable(name);
        ThrowIfUnusable();
        if (LockOwner.Current is { } owner)
            throw new InvalidOperationException(
                $"This thread acts as {owner.OwnerName} already; a thread is one participant at a time.");
        options ??= new ParticipantOptions();
        RemoveDead();
        Participant participant = new(
            _table, _resumption, name, _ids.Get(LockOwnerKind.Participant, name), options);
        _table.Add(participant);
        while (!Barrier.TryAttach(out long word)) Barrier.Sleep(word);
        participant.MarkJoined();
        try
        {
            participant.TakeUp(options);
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
        AsyncHandlerOwner owner = new(_ids.Get(LockOwnerKind.Handler, name), name, _async.Part);
        HandlerRegistration registration = _async.List.Add(name, handler, owner);
        if (Ledger.TryClaim(null, name))
        {
            HandlerEntry entry = registration.Entry;
            _async.Post(() =>
            {
                AwaitCaptureToEnd();
                _resumption.ResumeRestarted(entry, _async.Part, participant: null);
            });
        }

        return registration;
    }

    /// <summary>Opens an attempt and waits until no critical section is open.</summary>
    /// <param name="generation">The generation it will have.</param>
    /// <param name="timeout">From now until every participant must have come.</param>
    /// <param name="cancellation">Aborts the attempt up to the capture.</param>
    /// <exception cref="SnapshotException">Busy, TimedOut (naming who is in a critical section), SelfDeadlock
    /// or RestartFailed; no attempt is open then.</exception>
    /// <exception cref="OperationCanceledException">No attempt is open.</exception>
    internal Attempt Begin(long generation, TimeSpan timeout, CancellationToken cancellation = default) =>
        Begin(new AttemptTerms(generation, timeout, cancellation));

    /// <inheritdoc cref="Begin(long, TimeSpan, CancellationToken)"/>
    internal Attempt Begin(AttemptTerms terms)
    {
        ThrowIfUnusable();
        _rendezvous.ThrowIfRefused();
        terms.Cancellation.ThrowIfCancellationRequested();
        Attempt attempt = new(_table, _async, Ledger, terms);
        _rendezvous.Open(attempt);
        attempt.Begin();
        return attempt;
    }

    /// <summary>
    /// Stops the participants for something that must not see anybody write, and lets them go on. No handler
    /// runs, and nobody is told. The checkpoint that follows is announced, for those who leave a critical
    /// section meanwhile.
    /// </summary>
    /// <param name="generation">The generation that the checkpoint will be.</param>
    /// <param name="timeout">From now until every participant must have come.</param>
    /// <param name="work">What to do meanwhile. What it throws is thrown, and participants go on.</param>
    /// <param name="requester">Who asked, or null.</param>
    /// <param name="cancellation">Gives up until everybody has stopped.</param>
    /// <returns>How long the application stood still.</returns>
    /// <exception cref="SnapshotException">As <see cref="Begin(long, TimeSpan, CancellationToken)"/> and
    /// <see cref="Attempt.Stop"/>.</exception>
    internal TimeSpan StopBriefly(
        long generation, TimeSpan timeout, Action work, Requester? requester, CancellationToken cancellation)
    {
        using Attempt attempt = Begin(
            new AttemptTerms(generation, timeout, cancellation) { IsBrief = true, Requester = requester });
        attempt.PrepareAsync(meanwhile: () => { });
        attempt.Stop();
        work();
        Barrier.Announce();
        attempt.Release();
        attempt.BeginCommit();
        attempt.Complete();
        return Stopwatch.GetElapsedTime(attempt.FirstStopped, attempt.Released);
    }

    /// <summary>
    /// The id of a participant of that name, whether it is attached or not, as an owner of locks.
    /// </summary>
    internal int OwnerIdOf(string name) => _ids.Get(LockOwnerKind.Participant, name);

    /// <summary>
    /// What the image keeps: as captured while an attempt is past its capture, else as it is now.
    /// </summary>
    internal CoordinationState Export()
    {
        if (OpenAttempt is not Attempt { IsCaptured: true } attempt)
        {
            return Export(
                Ledger.Generation,
                _table.ToArray().Select(participant => Describe(participant, participant.Handlers.Enabled)),
                _async.List.Enabled,
                atCapture: false);
        }

        List<ParticipantDescription> participants = [];
        foreach (CapturedParticipant captured in _table.Captured)
        {
            if (!captured.IsOmitted) participants.Add(Describe(captured.Participant, captured.Handlers));
        }

        return Export(attempt.Generation, participants, attempt.AsyncEntries, atCapture: true);
    }

    /// <summary>In a restarted session, before anybody attaches or registers: what the image kept.</summary>
    internal void Restore(CoordinationState state)
    {
        _ids.Restore(state.Owners);
        Ledger.Expect(state);
    }

    /// <summary>
    /// Nobody may attach or begin any longer; participants may still leave. No attempt may be open.
    /// </summary>
    public void Dispose()
    {
        if (_isDisposed) return;
        _isDisposed = true;
        _rendezvous.Commits.Close();
        _async.Close();
    }

    /// <summary>
    /// After the end: waits until async handlers have been told what they were to be told; not on their own
    /// thread.
    /// </summary>
    internal void AwaitHandlers() => _async.AwaitEnd();

    private void ThrowIfUnusable()
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        _rendezvous.ThrowIfFailed();
    }

    /// <summary>
    /// Memory of the image turned out to be lost after the session had begun: every safepoint and every
    /// checkpoint says so from now on.
    /// </summary>
    internal void FailRestart(SnapshotException damage) => _resumption.FailRestart(damage);

    /// <summary>
    /// The handler thread is about to run a part that belongs to no attempt and writes memory. If the prepare
    /// parts of the open attempt have run, memory may be captured at any moment: waits until it was.
    /// Otherwise they are behind this in the thread's queue, and the attempt waits for them.
    /// </summary>
    private void AwaitCaptureToEnd()
    {
        while (true)
        {
            long word = Barrier.Read();
            if (PhaseWord.PhaseOf(word) is not (Phase.Async or Phase.Sync or Phase.Capture)) return;
            OpenAttempt? attempt = OpenAttempt;
            if (attempt is { IsAsyncDone: false }) return;
            if (attempt is not null && attempt.Number == PhaseWord.AttemptOf(word)) Barrier.Sleep(word);
        }
    }

    /// <summary>
    /// Removes participants whose threads ended without leaving, so that nobody waits for them.
    /// </summary>
    internal void RemoveDead() => _table.RemoveDead();

    private CoordinationState Export(
        long generation, IEnumerable<ParticipantDescription> participants, HandlerEntry[] handlers,
        bool atCapture)
    {
        IEnumerable<ParticipantDescription> missing = Ledger.MissingParticipants(atCapture)
            .Select(
                of => new ParticipantDescription(OwnerIdOf(of.Key), of.Key, ParticipantKind.Polled, [.. of]));
        IEnumerable<ParticipantDescription> all = participants.Concat(missing)
            .GroupBy(participant => participant.Name)
            .Select(
                group => new ParticipantDescription(
                    group.First().Id,
                    group.Key,
                    group.Max(participant => participant.Kind),
                    [.. group.SelectMany(participant => participant.Handlers).Distinct()]));
        IEnumerable<HandlerDescription> named = Names(handlers).Concat(Ledger.MissingHandlers(atCapture))
            .Distinct()
            .Select(name => new HandlerDescription(_ids.Get(LockOwnerKind.Handler, name), name));
        return new CoordinationState(generation, _ids.Export(), [.. all], [.. named]);
    }

    private static ParticipantDescription Describe(Participant participant, HandlerEntry[] handlers) =>
        new(participant.Id, participant.Name, participant.Kind, Names(handlers));

    private static string[] Names(HandlerEntry[] handlers) => [.. handlers.Select(handler => handler.Name)];
}
