namespace Snapshot;

/// <summary>How much of the memory of a restarted session is there, and the moment all of it is.</summary>
/// <remarks>Thread-safe.</remarks>
public sealed class RestartResidency
{
    private readonly TaskCompletionSource<TimeSpan> _completed = new(
        TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Func<(long Bytes, long Faults)> _now;

    internal RestartResidency(long bytesTotal, Func<(long Bytes, long Faults)> now)
    {
        BytesTotal = bytesTotal;
        _now = now;
    }

    /// <summary>Bytes of memory that the images hold.</summary>
    public long BytesTotal { get; }

    /// <summary>
    /// Bytes of them that are in memory. Stays below the total when the application frees pages before they
    /// came.
    /// </summary>
    public long BytesResident => _now().Bytes;

    /// <summary>
    /// How many touches of a missing page were answered so far, those of memory that was freed meanwhile
    /// included.
    /// </summary>
    public long FaultsServed => _now().Faults;

    /// <summary>
    /// Ends when all memory has come, with the time that the fill took. It fails with the damage that was
    /// found, and is cancelled if the session is closed before.
    /// </summary>
    public Task<TimeSpan> Completed => _completed.Task;

    /// <summary>What an eager restart has.</summary>
    internal static RestartResidency OfEager(long bytes, TimeSpan duration)
    {
        RestartResidency residency = new(bytes, () => (bytes, 0));
        residency.SetComplete(duration);
        return residency;
    }

    internal void SetComplete(TimeSpan duration) => _completed.TrySetResult(duration);

    internal void SetFailed(SnapshotException damage)
    {
        _completed.TrySetException(damage);
        // Nobody need look at it: the session tells, too.
        _ = _completed.Task.Exception;
    }

    internal void SetClosed() => _completed.TrySetCanceled();
}
