using System.Diagnostics;
using Snapshot.Base;

namespace Snapshot.Coordination;

/// <summary>One checkpoint as the coordinator drives it, from the request to the commit or the abort.</summary>
/// <remarks>
/// Driven by one thread at a time; participants and the handler thread use the members under "for those who take part".
/// All figures are <see cref="Stopwatch"/> ticks. Between <see cref="LastArrived"/> and <see cref="Released"/> nothing
/// is allocated on the managed heap.
/// </remarks>
internal sealed class Attempt : IDisposable
{
    /// <summary>How often a waiting coordinator looks for threads that died, the deadline and cancellation.</summary>
    private const long SliceNanoseconds = 2_000_000;

    /// <summary>How long an abort waits for resume parts before it leaves them to themselves.</summary>
    private static readonly TimeSpan AbortGrace = TimeSpan.FromSeconds(1);

    private readonly Coordinator _coordinator;
    private readonly PhaseBarrier _barrier;
    private readonly TimeSpan _timeout;
    private readonly Deadline _deadline;
    private readonly CancellationToken _cancellation;
    private readonly ManualResetEventSlim _resumed = new();
    private readonly Action _prepareParts;
    private readonly Action _resumeParts;
    private readonly List<HandlerError> _resumeErrors = [];
    private readonly List<string> _died = [];

    /// <summary>The first abort by a handler, or what the first prepare part that threw did; set once.</summary>
    private Exception? _requested;

    /// <summary>
    /// Written by the coordinator before the change of the word that lets participants go on; read by them after it.
    /// </summary>
    private CheckpointOutcome _outcome;

    /// <summary>
    /// Parts under way: one for the async handlers, one for each participant from its first prepare to its last resume
    /// part.
    /// </summary>
    private int _parts = 1;
    private int _asyncFirst;
    private volatile bool _isAsyncDone;
    private volatile bool _isDoomed;
    private bool _isOver;

    /// <param name="coordinator">Whose participants are stopped.</param>
    /// <param name="generation">The generation that the checkpoint will be.</param>
    /// <param name="timeout">From now until every participant must have come.</param>
    /// <param name="isBrief">Participants are stopped, and nothing else: no handler runs, nothing is told.</param>
    /// <param name="cancellation">Aborts the attempt up to the capture.</param>
    internal Attempt(
        Coordinator coordinator, long generation, TimeSpan timeout, bool isBrief, CancellationToken cancellation)
    {
        _coordinator = coordinator;
        _barrier = coordinator.Barrier;
        _timeout = timeout;
        _deadline = Deadline.After(timeout);
        _cancellation = cancellation;
        _prepareParts = RunAsyncPrepare;
        _resumeParts = RunAsyncResume;
        Generation = generation;
        IsBrief = isBrief;
        AsyncEntries = isBrief ? [] : coordinator.Async.List.Enabled;
        _asyncFirst = AsyncEntries.Length;
    }

    internal long Generation { get; }

    /// <summary>Participants are stopped for a moment only; no handler knows of it.</summary>
    internal bool IsBrief { get; }

    /// <summary>The async handlers of this attempt.</summary>
    internal HandlerEntry[] AsyncEntries { get; }

    internal bool IsCaptured { get; private set; }

    internal long SyncRaised { get; private set; }

    /// <summary>
    /// When the first participant stopped executing application code; <see cref="LastArrived"/> when none had to.
    /// </summary>
    internal long FirstStopped { get; private set; }

    /// <summary>When the last participant had parked; <see cref="SyncRaised"/> when none had to.</summary>
    internal long LastArrived { get; private set; }

    /// <summary>When participants were free to go; those asleep run as soon as the system has woken them.</summary>
    internal long Released { get; private set; }

    /// <summary>Who had not come when the deadline passed, and what each was doing.</summary>
    internal IReadOnlyList<string> Late { get; private set; } = [];

    /// <summary>Names of participants whose threads were found to have ended during the attempt. A copy.</summary>
    internal IReadOnlyList<string> Died
    {
        get
        {
            lock (_died)
                return [.. _died];
        }
    }

    /// <summary>Names of the participants left out of the image. Once captured.</summary>
    internal IReadOnlyList<string> Omitted
    {
        get
        {
            List<string> names = [];
            foreach (CapturedParticipant captured in Captured)
            {
                if (captured.IsOmitted)
                    names.Add(captured.Participant.Name);
            }

            return names;
        }
    }

    /// <summary>What resume and committed parts of this attempt threw so far. A copy.</summary>
    internal IReadOnlyList<HandlerError> ResumeErrors
    {
        get
        {
            lock (_resumeErrors)
                return [.. _resumeErrors];
        }
    }

    /// <summary>The participants at the capture; empty before it.</summary>
    internal ReadOnlySpan<CapturedParticipant> Captured => IsCaptured ? _coordinator.Table.Captured : [];

    /// <summary>
    /// True once the attempt is going to be aborted; long work of the coordinator may look at it and stop.
    /// </summary>
    internal bool IsDoomed => _isDoomed;

    /// <summary>
    /// A participant's thread has ended. Whoever waits or attaches may notice it, also while the attempt is being
    /// reported: any thread.
    /// </summary>
    internal void NoteDead(string name)
    {
        lock (_died)
            _died.Add(name);
    }

    // ---- the coordinator's sequence --------------------------------------------------------------------------------

    /// <summary>Idle to Pending, and on to Async when no critical section is open any longer.</summary>
    internal void Begin()
    {
        if (!_barrier.TryBegin(out long word))
        {
            _coordinator.Close(this);
            throw new InvalidOperationException($"A checkpoint began in phase {PhaseWord.PhaseOf(word)}.");
        }

        Number = PhaseWord.AttemptOf(word);
        AwaitEndOf(Phase.Pending);
    }

    /// <summary>
    /// Runs the async handlers' prepare parts on the handler thread and <paramref name="meanwhile"/> on this one;
    /// returns when both are done.
    /// </summary>
    /// <exception cref="SnapshotException">Aborted, HandlerFailed or TimedOut; the abort is
    /// complete.</exception>
    /// <exception cref="OperationCanceledException">The abort is complete.</exception>
    internal void PrepareAsync(Action meanwhile)
    {
        if (AsyncEntries.Length == 0)
            _coordinator.Async.PostIfStarted(_prepareParts, otherwise: () => _isAsyncDone = true);
        else
            _coordinator.Async.Post(_prepareParts);
        try
        {
            meanwhile();
        }
        catch (Exception cause)
        {
            Abort(cause);
            if (_outcome.Cause == cause)
                throw;
            throw _outcome.Cause!;
        }

        AwaitEndOf(Phase.Async);
    }

    /// <summary>
    /// Stops the participants: returns in phase Capture, with everyone parked, in a blocked region, or gone.
    /// </summary>
    /// <exception cref="SnapshotException">Aborted, HandlerFailed or TimedOut (naming the late); the abort is
    /// complete.</exception>
    /// <exception cref="OperationCanceledException">The abort is complete.</exception>
    internal void Stop()
    {
        _coordinator.RemoveDead();
        SyncRaised = Stopwatch.GetTimestamp();
        _barrier.Raise();
        AwaitEndOf(Phase.Sync);
        _coordinator.Table.Capture(this);
        if (!IsBrief)
            _coordinator.Ledger.Capture();
        IsCaptured = true;
        MeasureArrivals();
    }

    /// <summary>Ends the pause: participants go on, all resume parts run with Continued.</summary>
    internal void Release()
    {
        _outcome = new CheckpointOutcome(CheckpointOutcomeKind.Continued, Generation);
        Released = _barrier.Release();
        ResumeAsync();
        _barrier.Advance();
    }

    /// <summary>Drain to Commit.</summary>
    internal void BeginCommit() => _barrier.Advance();

    /// <summary>
    /// Commit to Idle; everybody captured is told that the generation is durable. The attempt is complete also when
    /// that throws.
    /// </summary>
    internal void Complete()
    {
        try
        {
            foreach (CapturedParticipant captured in Captured)
            {
                if (!IsBrief && !captured.IsOmitted && captured.Handlers.Length > 0)
                    captured.Participant.Notify(new CommitNotice(Generation, captured.Handlers));
            }

            if (AsyncEntries.Length > 0)
                _coordinator.Async.Post(NotifyAsync);
        }
        finally
        {
            _barrier.Advance();
            End();
        }
    }

    /// <summary>
    /// Ends the attempt. Up to the capture everybody whose prepare part was called is resumed with Aborted; after the
    /// release nobody is told again. No effect on an attempt that is over.
    /// </summary>
    internal void Abort(Exception cause)
    {
        if (_isOver)
            return;
        if (Released == 0)
        {
            _outcome = AbortedBy(cause);
            _isDoomed = true;
        }

        _barrier.Abort();
        FinishAbort();
    }

    /// <summary>Aborts an attempt that was not completed.</summary>
    public void Dispose() => Abort(new SnapshotException(
        SnapshotErrorCode.Aborted, $"Checkpoint {Generation} was given up before it was complete.")
    {
        Generation = Generation,
    });

    // ---- for those who take part -----------------------------------------------------------------------------------

    /// <summary>The attempt number in the word.</summary>
    internal int Number { get; private set; }

    /// <summary>Whether the async handlers' prepare parts have run.</summary>
    internal bool IsAsyncDone => _isAsyncDone;

    internal bool IsResumed => _resumed.IsSet;

    /// <summary>
    /// A participant is about to take part. Count first, then look at the word again: an abort changes the word first
    /// and looks at the count then, so one of the two sees the other, and an abort that is complete is not followed by
    /// a prepare part.
    /// </summary>
    /// <returns>False when the attempt no longer stops participants.</returns>
    internal bool TryEnterPart()
    {
        Interlocked.Increment(ref _parts);
        if (PhaseWord.IsStopping(_barrier.Read(), Number))
            return true;
        LeavePart();
        return false;
    }

    internal void LeavePart()
    {
        if (Interlocked.Decrement(ref _parts) == 0)
            _resumed.Set();
    }

    /// <summary>The first request wins; everybody, the requester included, is told that one.</summary>
    internal void RequestAbort(SnapshotException cause)
    {
        Interlocked.CompareExchange(ref _requested, cause, null);
        _isDoomed = true;
        _barrier.Notify();
    }

    internal CheckpointOutcome OutcomeFor(bool isOmitted) =>
        isOmitted && _outcome.Kind == CheckpointOutcomeKind.Continued
            ? _outcome.As(CheckpointOutcomeKind.Omitted)
            : _outcome;

    internal void Report(HandlerError error)
    {
        lock (_resumeErrors)
            _resumeErrors.Add(error);
        _coordinator.Report(error);
    }

    /// <summary>Waits until all resume parts are done, at most that long.</summary>
    internal void AwaitResumed(TimeSpan timeout) => _resumed.Wait(timeout);

    // ---- waiting ---------------------------------------------------------------------------------------------------

    /// <summary>
    /// Waits until <paramref name="phase"/> has done its work. The deadline may only end that phase: if the last
    /// arriver was faster, the checkpoint is in time. What a handler asked for, and cancellation, end the attempt in
    /// the next phase just as well.
    /// </summary>
    private void AwaitEndOf(Phase phase)
    {
        while (true)
        {
            uint seen = _barrier.Attention;
            bool isDone = IsDone(phase);
            if (Volatile.Read(ref _requested) is { } requested && (isDone || phase != Phase.Async))
                Fail(requested);
            if (isDone)
                return;
            if (_cancellation.IsCancellationRequested)
                Fail(new OperationCanceledException($"Checkpoint {Generation} was cancelled.", _cancellation));
            if (_deadline.HasPassed)
                FailIfStillIn(phase);
            _coordinator.RemoveDead();
            _barrier.AwaitAttention(seen, SliceNanoseconds);
        }
    }

    private bool IsDone(Phase phase) =>
        phase == Phase.Async ? _isAsyncDone : PhaseWord.PhaseOf(_barrier.Read()) != phase;

    private void Fail(Exception cause)
    {
        Abort(cause);
        throw _outcome.Cause!;
    }

    private void FailIfStillIn(Phase phase)
    {
        if (IsDone(phase))
            return;
        SnapshotException cause = DescribeLateness(phase);
        _outcome = AbortedBy(cause);
        if (!_barrier.TryAbort(phase))
        {
            _outcome = default;
            Late = [];
            return;
        }

        _isDoomed = true;
        FinishAbort();
        throw _outcome.Cause!;
    }

    private SnapshotException DescribeLateness(Phase phase)
    {
        IEnumerable<Participant> participants = _coordinator.Table.ToArray();
        Late = phase switch
        {
            Phase.Pending => [.. participants.Where(late => late.IsInCriticalSection).Select(late => late.Describe())],
            Phase.Async => [$"the handler thread: {_coordinator.Async.Part.Describe() ?? "between two handlers"}"],
            _ => [.. participants.Where(IsLate).Select(late => late.Describe())],
        };
        return new SnapshotException(
            SnapshotErrorCode.TimedOut,
            $"Checkpoint {Generation} was aborted: its deadline of {_timeout} passed in phase {phase}. " +
            $"Late: {string.Join("; ", Late)}. Poll more often, put waits into blocked regions, or allow more time; " +
            "'snapshot stacks PID' shows where threads are.")
        {
            Generation = Generation,
        };
    }

    private static bool IsLate(Participant participant) =>
        participant.Part.IsRunning ||
        participant.Standing is not (Standing.Parked or Standing.Blocked or Standing.Joining or Standing.Gone);

    // ---- endings ---------------------------------------------------------------------------------------------------

    /// <summary>What a handler asked for first has precedence, so that everybody is told the same.</summary>
    private CheckpointOutcome AbortedBy(Exception cause)
    {
        Exception winner = Volatile.Read(ref _requested) ?? cause;
        return new CheckpointOutcome(CheckpointOutcomeKind.Aborted, Generation)
        {
            AbortCode = (winner as SnapshotException)?.AbortCode,
            Cause = winner,
        };
    }

    private void FinishAbort()
    {
        if (Released == 0)
        {
            ResumeAsync();
            AwaitResumed(AbortGrace);
        }

        End();
    }

    private void End()
    {
        _isOver = true;
        _coordinator.Close(this);
    }

    private void ResumeAsync()
    {
        if (AsyncEntries.Length == 0)
            LeavePart();
        else
            _coordinator.Async.Post(_resumeParts);
    }

    /// <summary>Every participant stamps its arrival before it parks, so in Capture all stamps are visible.</summary>
    private void MeasureArrivals()
    {
        LastArrived = SyncRaised;
        long first = long.MaxValue;
        foreach (CapturedParticipant captured in Captured)
        {
            if (captured.Participant.LastAttempt != this)
                continue;
            first = Math.Min(first, captured.Participant.StoppedAt);
            LastArrived = Math.Max(LastArrived, captured.Participant.ArrivedAt);
        }

        FirstStopped = Math.Min(first, LastArrived);
    }

    // ---- on the handler thread -------------------------------------------------------------------------------------

    private void RunAsyncPrepare()
    {
        _asyncFirst = HandlerRun.Prepare(AsyncEntries, this, _coordinator.Async.Part, isSync: false, out _);
        _isAsyncDone = true;
        _barrier.Notify();
    }

    private void NotifyAsync() =>
        HandlerRun.Committed(AsyncEntries, Generation, _coordinator.Async.Part, null, Report);

    private void RunAsyncResume()
    {
        HandlerRun.Resume(AsyncEntries.AsSpan(_asyncFirst), _outcome, _coordinator.Async.Part, null, Report);
        LeavePart();
    }
}
