namespace Snapshot.Mpi.Protocol;

/// <summary>What a rank wants of the next reduction.</summary>
internal enum Wanted
{
    Nothing,
    Checkpoint,

    /// <summary>A checkpoint, and the program is to end when it is published.</summary>
    End,
}

/// <summary>
/// Who asked for a checkpoint on this rank, and who waits for the one under way. Thread-safe: anybody may
/// ask, and only the thread that polls answers.
/// </summary>
internal sealed class JobRequests(JobSchedule schedule)
{
    private readonly Lock _gate = new();
    private List<TaskCompletionSource<JobGeneration>> _asked = [];
    private List<TaskCompletionSource<JobGeneration>> _waiting = [];
    private bool _ends;
    private bool _hasEnded;
    private bool _isClosed;

    /// <summary>What the last checkpoint failed with, or null where it did not.</summary>
    internal Exception? LastError { get; private set; }

    internal Task<JobGeneration> Add()
    {
        TaskCompletionSource<JobGeneration> request = new(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isClosed, typeof(MpiJob));
            _asked.Add(request);
        }

        return request.Task;
    }

    /// <summary>The program is to end after a checkpoint: wanted until one is published.</summary>
    internal void AskToEnd()
    {
        lock (_gate) _ends = true;
    }

    internal Wanted Wanted(long step)
    {
        lock (_gate)
        {
            if (!_hasEnded && (_ends || schedule.Ends)) return Protocol.Wanted.End;
            return _asked.Count > 0 || schedule.IsDue(step)
                ? Protocol.Wanted.Checkpoint : Protocol.Wanted.Nothing;
        }
    }

    /// <summary>
    /// The checkpoint after which the program ends is published: no other is wanted for that.
    /// </summary>
    internal void End()
    {
        lock (_gate) _hasEnded = true;
    }

    /// <summary>A checkpoint begins: whoever asked before waits for it.</summary>
    internal void Begin(long step)
    {
        lock (_gate)
        {
            _waiting.AddRange(_asked);
            _asked = [];
            schedule.Begin(step);
        }
    }

    /// <param name="published">The generation of the job.</param>
    /// <param name="felt">The time that it took from the program of this rank.</param>
    internal void Complete(JobGeneration published, TimeSpan felt)
    {
        LastError = null;
        lock (_gate) schedule.End(felt);
        foreach (TaskCompletionSource<JobGeneration> request in Answer()) request.TrySetResult(published);
    }

    internal void Fail(Exception error)
    {
        LastError = error;
        foreach (TaskCompletionSource<JobGeneration> request in Answer()) request.TrySetException(error);
    }

    /// <summary>Nobody answers any more.</summary>
    internal void Close()
    {
        lock (_gate)
        {
            _isClosed = true;
            _waiting.AddRange(_asked);
            _asked = [];
        }

        foreach (TaskCompletionSource<JobGeneration> request in Answer())
            request.TrySetException(new ObjectDisposedException(nameof(MpiJob)));
    }

    private List<TaskCompletionSource<JobGeneration>> Answer()
    {
        lock (_gate)
        {
            List<TaskCompletionSource<JobGeneration>> answered = _waiting;
            _waiting = [];
            return answered;
        }
    }
}
