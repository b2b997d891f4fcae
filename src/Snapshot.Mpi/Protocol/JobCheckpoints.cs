using Snapshot.Coordination;
using Snapshot.Mpi.Calls;
using Snapshot.Mpi.Levels;
using Snapshot.Mpi.Manifest;

namespace Snapshot.Mpi.Protocol;

/// <summary>
/// The checkpoints of a job, read top to bottom: agreed upon, captured by all ranks at one step, durable on
/// all, published, announced. One is under way at a time.
/// </summary>
/// <remarks>
/// <para>Invariant: between two reductions all ranks are in the same <see cref="JobStage"/>. They leave it by
/// <see cref="Decision.Of"/> alone, a function of what all have read alike, and each takes part in every
/// collective call of the step, also when its own part failed.</para>
/// <para>The thread that polls owns all of it but the requests.</para>
/// </remarks>
internal sealed class JobCheckpoints(
    RankGroup ranks, SnapshotSession session, OpenMessages? check, JobPublication publication,
    LevelTracks levels, JobRequests requests, Action<JobPoint> at)
{
    private readonly Agreement _agreement = new(ranks);
    private JobStage _stage;
    private CheckpointTicket? _ticket;
    private long _step;
    private bool _endsThen;
    private JobCall _call;

    /// <summary>Whether the program was asked to end, and the checkpoint for it is published.</summary>
    internal bool IsEnding { get; private set; }

    /// <summary>Takes part: returns at once, unless it is time to agree.</summary>
    internal void Poll(long step)
    {
        if (!levels.AreIdle) levels.Advance();
        if (!_agreement.IsDue()) return;
        _call = JobCall.Poll;
        Act(step);
        _agreement.Begin(step, Say);
    }

    /// <summary>
    /// A checkpoint at this step, at which all ranks call it; returns when it is published.
    /// </summary>
    /// <exception cref="SnapshotException">What it failed with.</exception>
    internal JobGeneration Take(long step)
    {
        Act(step);
        _call = JobCall.Checkpoint;
        Finish(step);
        Task<JobGeneration> wanted = requests.Add();
        Round(step);
        Finish(step);
        return wanted.GetAwaiter().GetResult();
    }

    /// <summary>Publishes what is under way; all ranks call it.</summary>
    /// <returns>False where another rank goes on: then nothing is waited for.</returns>
    internal bool Close()
    {
        try
        {
            Act(_step);
            _call = JobCall.Close;
            Round(_step);
            Finish(_step);
            FinishLevels();
            return true;
        }
        catch (SnapshotException error) when (error.Code == SnapshotErrorCode.OutOfStep)
        {
            return false;
        }
    }

    /// <summary>Waits for what is under way.</summary>
    private void Finish(long step)
    {
        while (_stage != JobStage.Idle)
        {
            // What it ends with is said in the round.
            if (_stage == JobStage.Draining) Wait(_ticket!);
            else publication.Wait();
            Round(step);
        }
    }

    /// <summary>The last generation comes to all levels.</summary>
    private void FinishLevels()
    {
        if (publication.Manifest.Newest is { } newest) levels.Close(newest);
        while (!levels.AreIdle)
        {
            levels.Finish();
            publication.Wait();
            Round(_step);
        }
    }

    private void Round(long step)
    {
        levels.Advance();
        _agreement.Begin(step, Say);
        Act(step);
    }

    /// <summary>Reads what was agreed, and does it.</summary>
    private void Act(long step)
    {
        _step = step;
        ReadOnlySpan<long> agreed = _agreement.Read();
        if (agreed.IsEmpty) return;
        RefuseOtherSteps(agreed);
        levels.Act(agreed);
        switch (Decision.Of(_stage, agreed, publication.IsBusy))
        {
            case JobAct.Cut:
                _endsThen = agreed[AgreedWords.Request] > 1;
                Cut(step);
                break;
            case JobAct.Publish:
                Publish();
                break;
            case JobAct.Announce:
                Announce();
                break;
            case JobAct.GiveUp:
                GiveUp();
                break;
        }
    }

    private void Say(long[] words)
    {
        words[AgreedWords.Call] = (long)_call;
        words[AgreedWords.MinusCall] = -(long)_call;
        words[AgreedWords.Request] = _call == JobCall.Close ? 0 : (long)requests.Wanted(_step);
        words[AgreedWords.Undrained] = _ticket is { Committed.IsCompleted: false } ? 1 : 0;
        words[AgreedWords.Failed] =
            _ticket is { Committed: { IsFaulted: true } or { IsCanceled: true } }
            || (_stage == JobStage.Publishing && publication.HasFailed)
                ? 1 : 0;
        words[AgreedWords.Unpublished] = publication.IsWritten ? 0 : 1;
        levels.Say(words);
    }

    /// <summary>Captures on all ranks, or gives up on all.</summary>
    private void Cut(long step)
    {
        requests.Begin(step);
        at(JobPoint.Agreed);
        Exception? failure = ranks.Try(BeforeCapture);
        at(JobPoint.Checked);
        CheckpointTicket? ticket = null;

        // Nobody goes on before everybody has captured: a peer may write into this rank's memory.
        failure ??= ranks.Try(() =>
        {
            ticket = session.RequestCheckpoint(
                new CheckpointOptions { TellCommittedLater = true, WaitIfBusy = true });
            ticket.WaitCapturedInThread();
            at(JobPoint.Captured);
        });
        if (failure is not null)
        {
            ticket?.Cancel();
            requests.Fail(failure);
            return;
        }

        _ticket = ticket;
        publication.Begin(step);
        _stage = JobStage.Draining;
        at(JobPoint.Draining);
    }

    private void BeforeCapture()
    {
        // A peer may write memory of this rank, by MPI_Put, until it has come, too.
        ranks.Barrier();
        check?.Refuse();

        // Captured in there, MPI would write what this rank waits for after the capture, and the next process
        // would wait for it again.
        if (Participant.Current is not { Status: ParticipantStatus.Blocked }) return;
        throw new InvalidOperationException(
            $"{nameof(MpiJob)} polls in a blocked region. Leave it first: what is called in it may be " +
            "waiting for a message, which a restart waits for again.");
    }

    private void Publish()
    {
        at(JobPoint.Drained);
        publication.Write(session.Store, _ticket!.Committed.Result.Generation, levels.Copying);
        _stage = JobStage.Publishing;
    }

    private void Announce()
    {
        at(JobPoint.Told);
        JobEntry published = publication.End();
        levels.Published(published);
        at(JobPoint.LetGo);
        _ticket!.TellCommitted();
        TimeSpan felt = _ticket.Captured.Result.Pause.Total;
        Leave();
        requests.Complete(published.Name, felt);
        if (!_endsThen) return;
        IsEnding = true;
        requests.End();
    }

    /// <summary>Why is known where it failed: all are told. What still drains is of no use.</summary>
    private void GiveUp()
    {
        Exception? failure = ranks.Try(() =>
        {
            if (_ticket!.Committed is { IsCompleted: true } ended) ended.GetAwaiter().GetResult();
            if (_stage == JobStage.Publishing) publication.ThrowIfFailed();
        });
        _ticket!.Cancel();
        if (_stage == JobStage.Publishing) publication.GiveUp();
        Leave();
        requests.Fail(failure!);
    }

    private void Leave()
    {
        _ticket = null;
        _stage = JobStage.Idle;
    }

    /// <summary>
    /// A thread that waits for its ticket takes part in what others may ask of the session.
    /// </summary>
    private static void Wait(CheckpointTicket ticket)
    {
        try
        {
            ticket.WaitCommittedInThread();
        }
        catch (Exception error) when (error is SnapshotException or OperationCanceledException)
        {
            // The ticket has it: the ranks are told in the next round.
        }
    }

    private static void RefuseOtherSteps(ReadOnlySpan<long> agreed)
    {
        JobCall last = (JobCall)agreed[AgreedWords.Call], first = (JobCall)(-agreed[AgreedWords.MinusCall]);
        if (last != first)
        {
            throw new SnapshotException(
                SnapshotErrorCode.OutOfStep,
                $"One rank {Doing(first)} when another {Doing(last)}, after step " +
                $"{-agreed[AgreedWords.MinusStep]}. All ranks call the same methods of the job in the same " +
                "order.");
        }

        if (agreed[AgreedWords.Step] == -agreed[AgreedWords.MinusStep]) return;
        throw new SnapshotException(
            SnapshotErrorCode.OutOfStep,
            $"One rank polled at step {-agreed[AgreedWords.MinusStep]} when another did at step " +
            $"{agreed[AgreedWords.Step]}. All ranks poll with the same steps in the same order.");
    }

    private static string Doing(JobCall call) => call switch
    {
        JobCall.Poll => "is in Poll",
        JobCall.Checkpoint => "is in Checkpoint",
        _ => "is in Dispose",
    };
}
