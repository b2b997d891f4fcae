using Snapshot.Mpi.Manifest;

namespace Snapshot.Mpi.Levels;

/// <summary>
/// A store of copies of one rank's images, with what keeps them. It has none but published generations; the
/// job says what stays.
/// </summary>
internal sealed class CopyStore : IDisposable
{
    // Beside what is held nothing stays but the newest.
    private static readonly RetentionPolicy s_policy = new() { KeepLast = 1, KeepPassedOver = false };

    private readonly RetentionHold _hold = new();
    private readonly int _rank;
    private Task _pruning = Task.CompletedTask;

    /// <summary>Opens the store, or makes it. One that is damaged is set aside: it is a copy.</summary>
    /// <exception cref="SnapshotException">StoreBusy, StoreIo, Untrusted, Unsupported.</exception>
    internal CopyStore(string directory, int rank, StoreOptions options)
    {
        _rank = rank;
        try
        {
            Store = SnapshotStore.Open(directory, options.With(s_policy, _hold));
        }
        catch (SnapshotException error) when (error.Code == SnapshotErrorCode.Corrupt)
        {
            JobPlaces.SetAside(directory);
            Store = SnapshotStore.Open(directory, options.With(s_policy, _hold));
        }
    }

    internal SnapshotStore Store { get; }

    /// <summary>Drops what is younger than what the job goes on from.</summary>
    internal void GoOnFrom(JobEntry? entry) => Store.DropAbove(entry?.Images[_rank].Generation ?? 0);

    internal bool Has(JobEntry entry) =>
        Store.Images.Any(image => image.ImageId == entry.Images[_rank].ImageId);

    /// <summary>Begins to let go of what no entry of a manifest needs.</summary>
    internal void Keep(JobManifest manifest)
    {
        if (manifest.Entries is not [JobEntry oldest, ..]) return;
        Wait();
        _hold.RaiseTo(oldest.Images[_rank].Generation);
        _pruning = Store.PruneAsync(s_policy);
    }

    public void Dispose()
    {
        Wait();
        Store.Dispose();
    }

    /// <summary>What it could not delete is deleted with the next.</summary>
    private void Wait() => Task.WhenAny(_pruning).GetAwaiter().GetResult();
}
