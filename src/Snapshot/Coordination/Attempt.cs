using System.Diagnostics;
using Snapshot.Base;

namespace Snapshot.Coordination;

// One attempt. Time runs down; an arrow ends at whoever it lets go on.
//
//   phase    the driver                    the handler thread    each participant
//   -------  ----------------------------  --------------------  -------------------------------------------
//   Idle     Begin                                               runs
//   Pending    waits for them <--------------------------------- leaves its critical sections, enters none
//   Async    PrepareAsync ---------------> prepare parts         runs
//              copies pages meanwhile
//              waits for it <------------- done
//   Sync     Stop ---------------------------------------------> at its next safepoint: prepare parts, parks
//              waits for them <--------------------------------- the last one enters Capture
//   Capture    pages are collected, held                         parked, in a blocked region, or gone
//   Release  Release --------------------> resume parts
//               `----------------------------------------------> resume parts, then runs
//   Drain the image is written runs; at a gate it waits for all resume parts Commit BeginCommit runs Idle
//   Complete -------------------> committed parts
//               `----------------------------------------------> committed parts, at its next safepoint
//
// An abort leads from any phase to Idle. Whoever has run a prepare part is resumed with Aborted, unless the
// release came first. While the driver waits it looks every two milliseconds for cancellation, the deadline,
// and threads that died; what a handler asks for wakes it. Participants wait for the phase alone, and for
// each other only at a gate.

/// <summary>One checkpoint, driven from the request to the commit or the abort.</summary>
/// <remarks>
/// Driven by one thread at a time. Participants and the handler thread are driven: they see of it what
/// <see cref="OpenAttempt"/> has. All figures are <see cref="Stopwatch"/> ticks. Between
/// <see cref="LastArrived"/> and <see cref="Released"/> nothing is allocated on the managed heap.
/// </remarks>
internal sealed class Attempt : OpenAttempt, IDisposable
{
    /// <summary>
    /// How often a waiting driver looks for threads that died, the deadline and cancellation.
    /// </summary>
    private const long SliceNanoseconds = 2_000_000;

    /// <summary>How long an abort waits for resume parts before it leaves them to themselves.</summary>
    private static readonly TimeSpan s_abortGrace = TimeSpan.FromSeconds(1);

    private readonly Rendezvous _rendezvous;
    private readonly PhaseBarrier _barrier;
    private readonly ParticipantTable _participants;
    private readonly AsyncHandlers _async;
    private readonly RestartLedger _ledger;
    private readonly TimeSpan _timeout;
    private readonly Deadline _deadline;
    private readonly Action<Phase>? _entered;
    private readonly CancellationToken _cancellation;
    private readonly Requester? _requester;
    private readonly bool _tellsCommittedLater;
    private readonly Action _prepareParts;
    private readonly Action _resumeParts;
    private int _asyncFirst;
    private long _allocatedBefore;
    private bool _isOver;

    /// <param name="participants">Who is stopped.</param>
    /// <param name="asyncHandlers">The handlers that prepare before.</param>
    /// <param name="ledger">What a restart has not resumed yet.</param>
    /// <param name="terms">What was asked for.</param>
    internal Attempt(
        ParticipantTable participants, AsyncHandlers asyncHandlers, RestartLedger ledger, AttemptTerms terms)
        : base(participants.Rendezvous, terms.Generation, terms.IsBrief)
    {
        _rendezvous = participants.Rendezvous;
        _barrier = _rendezvous.Barrier;
        _participants = participants;
        _async = asyncHandlers;
        _ledger = ledger;
        _timeout = terms.Timeout;
        _deadline = Deadline.After(terms.Timeout);
        _entered = terms.Entered;
        _cancellation = terms.Cancellation;
        _requester = terms.Requester;
        _tellsCommittedLater = terms.TellsCommittedLater;
        _prepareParts = RunAsyncPrepare;
        _resumeParts = RunAsyncResume;
        AsyncEntries = terms.IsBrief ? [] : asyncHandlers.List.Enabled;
        _asyncFirst = AsyncEntries.Length;
    }

    /// <summary>The async handlers of this attempt.</summary>
    internal HandlerEntry[] AsyncEntries { get; }

    internal bool IsCaptured { get; private set; }

    internal long PrepareBegan { get; private set; }

    internal long PrepareEnded { get; private set; }

    internal long SyncRaised { get; private set; }

    /// <summary>
    /// When the first participant stopped executing application code; <see cref="LastArrived"/> when none had
    /// to.
    /// </summary>
    internal long FirstStopped { get; private set; }

    /// <summary>When the last participant had parked; <see cref="SyncRaised"/> when none had to.</summary>
    internal long LastArrived { get; private set; }

    /// <summary>When everybody had stopped and memory could be captured.</summary>
    internal long Stopped { get; private set; }

    /// <summary>
    /// When participants were free to go; those asleep run as soon as the system has woken them.
    /// </summary>
    internal long Released { get; private set; }

    internal long CommitBegan { get; private set; }

    /// <summary>Who has not been told of the commit; null before it, and where they were told.</summary>
    internal CommittedParts? Untold { get; private set; }

    /// <summary>What the driver allocated between <see cref="Stopped"/> and the release: 0.</summary>
    internal long ManagedBytesAllocated { get; private set; }

    /// <summary>Who had not come when the deadline passed, and what each was doing.</summary>
    internal IReadOnlyList<string> Late { get; private set; } = [];

    /// <summary>Names of the participants left out of the image. Once captured.</summary>
    internal IReadOnlyList<string> Omitted
    {
        get
        {
            List<string> names = [];
            foreach (CapturedParticipant captured in Captured)
            {
                if (captured.IsOmitted) names.Add(captured.Participant.Name);
            }

            return names;
        }
    }

    /// <summary>The participants at the capture; empty before it.</summary>
    internal ReadOnlySpan<CapturedParticipant> Captured => IsCaptured ? _participants.Captured : [];

    // ---- the sequence
    // ----------------------------------------------------------------------------------------------

    /// <summary>Idle to Pending, and on to Async when no critical section is open any longer.</summary>
    internal void Begin()
    {
        if (!_barrier.TryBegin(out long word))
        {
            _rendezvous.Close(this);
            throw new InvalidOperationException($"A checkpoint began in phase {PhaseWord.PhaseOf(word)}.");
        }

        Number = PhaseWord.AttemptOf(word);
        AwaitEndOf(Phase.Pending);
    }

    /// <summary>
    /// Runs the async handlers' prepare parts on the handler thread and <paramref name="meanwhile"/> on this
    /// one; returns when both are done.
    /// </summary>
    /// <exception cref="SnapshotException">Aborted, HandlerFailed or TimedOut; the abort is
    /// complete.</exception>
    /// <exception cref="OperationCanceledException">The abort is complete.</exception>
    internal void PrepareAsync(Action meanwhile)
    {
        PrepareBegan = Stopwatch.GetTimestamp();
        _entered?.Invoke(Phase.Async);
        if (AsyncEntries.Length == 0) _async.PostIfStarted(_prepareParts, otherwise: MarkAsyncDone);
        else _async.Post(_prepareParts);
        try
        {
            meanwhile();
        }
        catch (Exception cause)
        {
            Abort(cause);
            if (Outcome.Cause == cause) throw;
            throw Outcome.Cause!;
        }

        AwaitEndOf(Phase.Async);
        PrepareEnded = Stopwatch.GetTimestamp();
    }

    /// <summary>
    /// Stops the participants: returns in phase Capture, with everyone parked, in a blocked region, or gone.
    /// </summary>
    /// <exception cref="SnapshotException">Aborted, HandlerFailed or TimedOut (naming the late); the abort is
    /// complete.</exception>
    /// <exception cref="OperationCanceledException">The abort is complete.</exception>
    internal void Stop()
    {
        _entered?.Invoke(Phase.Sync);
        _participants.RemoveDead();
        SyncRaised = Stopwatch.GetTimestamp();
        _barrier.Raise();
        AwaitEndOf(Phase.Sync);
        _participants.Capture(this);
        if (!IsBrief) _ledger.Capture();
        IsCaptured = true;
        MeasureArrivals();
        _allocatedBefore = GC.GetAllocatedBytesForCurrentThread();
        Stopped = Stopwatch.GetTimestamp();
    }

    /// <summary>Ends the pause: participants go on, all resume parts run with Continued.</summary>
    internal void Release()
    {
        Outcome = new CheckpointOutcome(CheckpointOutcomeKind.Continued, Generation);
        Released = _barrier.Release();
        ResumeAsync();
        _barrier.Advance();
        ManagedBytesAllocated = GC.GetAllocatedBytesForCurrentThread() - _allocatedBefore;
    }

    /// <summary>Drain to Commit.</summary>
    internal void BeginCommit()
    {
        CommitBegan = Stopwatch.GetTimestamp();
        _entered?.Invoke(Phase.Commit);
        _barrier.Advance();
    }

    /// <summary>
    /// Commit to Idle; everybody captured is told that the generation is durable, unless that comes later.
    /// The attempt is complete also when that throws.
    /// </summary>
    internal void Complete()
    {
        try
        {
            // A brief one has made no generation.
            if (IsBrief) return;
            CommittedParts parts = new(
                Generation, WithHandlers(), AsyncEntries, _async, _rendezvous.Commits, Report);
            if (_tellsCommittedLater) Untold = parts;
            else parts.Tell();
        }
        finally
        {
            _barrier.Advance();
            End();
        }
    }

    /// <summary>
    /// Ends the attempt. Up to the capture everybody whose prepare part was called is resumed with Aborted;
    /// after the release nobody is told again. No effect on an attempt that is over.
    /// </summary>
    internal void Abort(Exception cause)
    {
        if (_isOver) return;
        if (Released == 0)
        {
            Outcome = AbortedBy(cause);
            Doom();
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

    // ---- waiting
    // ---------------------------------------------------------------------------------------------------

    /// <summary>
    /// Waits until <paramref name="phase"/> has done its work. The deadline may only end that phase: if the
    /// last arriver was faster, the checkpoint is in time. What a handler asked for, and cancellation, end
    /// the attempt in the next phase just as well.
    /// </summary>
    private void AwaitEndOf(Phase phase)
    {
        Requester.Watch watch = _requester?.Begin(_rendezvous, phase) ?? default;
        while (true)
        {
            uint seen = _barrier.Attention;
            bool isDone = IsDone(phase);
            if (Requested is { } requested && (isDone || phase != Phase.Async)) Fail(requested);
            if (isDone) return;
            if (_cancellation.IsCancellationRequested)
                Fail(_requester?.Refusal ?? (Exception)new OperationCanceledException(
                    $"Checkpoint {Generation} was cancelled.", _cancellation));
            if (watch.IsStuck()) FailIfStillIn(phase, watch.Describe);
            if (_deadline.HasPassed) FailIfStillIn(phase, DescribeLateness);
            _participants.RemoveDead();
            _barrier.AwaitAttention(seen, SliceNanoseconds);
        }
    }

    private bool IsDone(Phase phase) =>
        phase == Phase.Async ? IsAsyncDone : PhaseWord.PhaseOf(_barrier.Read()) != phase;

    private void Fail(Exception cause)
    {
        Abort(cause);
        throw Outcome.Cause!;
    }

    private void FailIfStillIn(Phase phase, Func<Phase, SnapshotException> describe)
    {
        if (IsDone(phase)) return;
        SnapshotException cause = describe(phase);
        Outcome = AbortedBy(cause);
        if (!_barrier.TryAbort(phase))
        {
            Outcome = default;
            Late = [];
            return;
        }

        Doom();
        FinishAbort();
        throw Outcome.Cause!;
    }

    private SnapshotException DescribeLateness(Phase phase)
    {
        IEnumerable<Participant> participants = _participants.ToArray();
        Late = phase switch
        {
            Phase.Pending =>
                [.. participants.Where(late => late.IsInCriticalSection).Select(late => late.Describe())],
            Phase.Async => [$"the handler thread: {_async.Part.Describe() ?? "between two handlers"}"],
            _ => [.. participants.Where(IsLate).Select(late => late.Describe())],
        };
        return new SnapshotException(
            SnapshotErrorCode.TimedOut,
            $"Checkpoint {Generation} was aborted: its timeout of {_timeout} passed in phase {phase}. " +
            $"{WhatIsLate(phase)}: {string.Join("; ", Late)}. Call Poll() more often, wrap waits in " +
            "EnterBlockedRegion(), or raise the timeout; 'snapshot stacks PID' shows where threads are.")
        {
            Generation = Generation,
        };
    }

    private static string WhatIsLate(Phase phase) => phase switch
    {
        Phase.Pending => "In a critical section",
        Phase.Async => "In a prepare part",
        _ => "Not at a safepoint",
    };

    private static bool IsLate(Participant participant) =>
        participant.Part.IsRunning ||
        participant.Status is not (ParticipantStatus.Parked or ParticipantStatus.Blocked or
            ParticipantStatus.Joining or
            ParticipantStatus.Gone);

    /// <inheritdoc/>
    internal override string DescribeParts()
    {
        IEnumerable<string> parts =
            _participants.ToArray().Where(busy => busy.Part.IsRunning).Select(busy => busy.Describe());
        if (_async.Part.Describe() is { } part) parts = parts.Prepend($"the handler thread {part}");
        return string.Join("; ", parts);
    }

    // ---- endings
    // ---------------------------------------------------------------------------------------------------

    /// <summary>What a handler asked for first has precedence, so that everybody is told the same.</summary>
    private CheckpointOutcome AbortedBy(Exception cause)
    {
        Exception winner = Requested ?? cause;
        return new CheckpointOutcome(CheckpointOutcomeKind.Aborted, Generation)
        {
            AbortCode = (winner as SnapshotException)?.AbortCode,
            Cause = winner,
        };
    }

    private List<(Participant Participant, HandlerEntry[] Handlers)> WithHandlers()
    {
        List<(Participant, HandlerEntry[])> found = [];
        foreach (CapturedParticipant captured in Captured)
        {
            if (!captured.IsOmitted && captured.Handlers.Length > 0)
                found.Add((captured.Participant, captured.Handlers));
        }

        return found;
    }

    private void FinishAbort()
    {
        if (Released == 0)
        {
            ResumeAsync();
            AwaitResumed(s_abortGrace);
        }

        End();
    }

    private void End()
    {
        _isOver = true;
        _rendezvous.Close(this);
    }

    private void ResumeAsync()
    {
        if (AsyncEntries.Length == 0) LeavePart();
        else _async.Post(_resumeParts);
    }

    /// <summary>
    /// Every participant stamps its arrival before it parks, so in Capture all stamps are visible.
    /// </summary>
    private void MeasureArrivals()
    {
        LastArrived = SyncRaised;
        long first = long.MaxValue;
        foreach (CapturedParticipant captured in Captured)
        {
            if (captured.Participant.LastAttempt != this) continue;
            first = Math.Min(first, captured.Participant.StoppedAt);
            LastArrived = Math.Max(LastArrived, captured.Participant.ArrivedAt);
        }

        FirstStopped = Math.Min(first, LastArrived);
    }

    // ---- on the handler thread
    // -------------------------------------------------------------------------------------

    private void RunAsyncPrepare()
    {
        _asyncFirst = HandlerRun.Prepare(AsyncEntries, this, _async.Part, isSync: false, out _);
        MarkAsyncDone();
        _barrier.Notify();
    }

    private void RunAsyncResume()
    {
        HandlerRun.Resume(AsyncEntries.AsSpan(_asyncFirst), Outcome, _async.Part, null, Report);
        LeavePart();
    }
}
