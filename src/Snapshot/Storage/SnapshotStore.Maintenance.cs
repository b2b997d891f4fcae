using Snapshot.Image;
using Snapshot.Storage;

namespace Snapshot;

/// <content>Verifying, compacting and pruning, which go on while images are written.</content>
public sealed partial class SnapshotStore
{
    /// <summary>
    /// Reads every byte of an image and its ancestors, or of all images, and lists everything that is wrong.
    /// </summary>
    /// <param name="generation">The generation, or null for all.</param>
    /// <param name="progress">Told about bytes read; what it throws is thrown when the work is done.</param>
    /// <param name="cancellation">Ends the work.</param>
    /// <exception cref="SnapshotException">NotFound: there is no such generation. Damage is not thrown but
    /// reported.</exception>
    public Task<VerifyReport> VerifyAsync(
        long? generation = null, IProgress<StoreProgress>? progress = null,
        CancellationToken cancellation = default)
    {
        IReadOnlyList<ManifestEntry> entries = Entries;
        ManifestEntry? newest = generation is { } wanted ? Find(wanted) : null;
        return Task.Run(
            () => StoreListener.Run(progress, told =>
            {
                using StoreVerifier verifier = new(_medium, entries, told);
                return newest is null
                    ? verifier.Verify(entries, StoreOpening.ForReading(_medium).Findings, cancellation)
                    : verifier.Verify(GenerationChain.Known(entries, newest), [], cancellation);
            }),
            cancellation);
    }

    /// <summary>
    /// Replaces an incremental image by a full one of the same state, while the application may run. A full
    /// one stays as it is.
    /// </summary>
    /// <param name="generation">The generation.</param>
    /// <param name="progress">
    /// Told about memory copied; what it throws is thrown when the work is done.
    /// </param>
    /// <param name="cancellation">Ends the work; the store is unchanged then.</param>
    /// <exception cref="SnapshotException">
    /// NotFound, Corrupt, ChainBroken, StoreIo, OutcomeUnknown.
    /// </exception>
    /// <exception cref="OperationCanceledException">It was cancelled, or the store was closed.</exception>
    /// <exception cref="InvalidOperationException">The store is open for reading.</exception>
    public Task<GenerationInfo> CompactAsync(
        long generation, IProgress<StoreProgress>? progress = null,
        CancellationToken cancellation = default) =>
        MaintainAsync(
            ending =>
            {
                ManifestEntry entry = Find(generation);
                return entry.Parent is null
                    ? entry.ToInfo()
                    : StoreListener.Run(
                        progress, to => new ImageMerger(this).Merge(entry, int.MaxValue, to, ending));
            },
            cancellation);

    /// <summary>
    /// Deletes the images that a policy does not keep, and never one that is held
    /// (<see cref="StoreOptions.Hold"/>), or that a kept image or one being written needs.
    /// </summary>
    /// <param name="policy">What to keep.</param>
    /// <param name="progress">
    /// Told about bytes deleted; what it throws is thrown when the work is done.
    /// </param>
    /// <param name="cancellation">Ends the work before anything is changed.</param>
    /// <returns>The generations deleted, oldest first.</returns>
    /// <exception cref="SnapshotException">StoreIo, OutcomeUnknown.</exception>
    /// <exception cref="InvalidOperationException">The store is open for reading.</exception>
    public Task<IReadOnlyList<GenerationInfo>> PruneAsync(
        RetentionPolicy policy, IProgress<StoreProgress>? progress = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(policy);
        return MaintainAsync(_ => StoreListener.Run(progress, told => Prune(policy, told)), cancellation);
    }

    /// <summary>The generations that <see cref="PruneAsync"/> would delete now with this policy.</summary>
    internal IReadOnlyList<GenerationInfo> PlanPrune(RetentionPolicy policy)
    {
        ArgumentNullException.ThrowIfNull(policy);
        ObjectDisposedException.ThrowIf(_disposed, this);
        lock (_gate) return [.. Deletable(policy).Select(entry => entry.ToInfo())];
    }

    /// <summary>Deletes what a policy does not keep. Maintenance is held.</summary>
    internal IReadOnlyList<GenerationInfo> Prune(RetentionPolicy policy, IProgress<StoreProgress>? progress)
    {
        List<ManifestEntry> deleted;
        lock (_gate)
        {
            _manifest.ThrowIfUnknown();
            deleted = Deletable(policy);
            if (deleted.Count > 0) _manifest.Retire(deleted);
        }

        long bytesTotal = deleted.Sum(entry => entry.FileLength);
        long bytes = 0;
        foreach (ManifestEntry entry in deleted)
        {
            _drafts.DeleteRetired(entry);
            bytes += entry.FileLength;
            progress?.Report(new StoreProgress(entry.Generation, bytes, bytesTotal));
        }

        return [.. deleted.Select(entry => entry.ToInfo())];
    }

    /// <summary>Called inside the gate.</summary>
    private List<ManifestEntry> Deletable(RetentionPolicy policy) =>
        Retention.Deletable(_manifest.Entries, policy, DateTimeOffset.UtcNow, Needed, Floor);

    private long Floor => Options.Hold?.Floor ?? long.MaxValue;

    /// <summary>Used inside the gate, as the one before. There is no generation 0.</summary>
    private IEnumerable<long> Needed =>
        _drafts.Parents.Append(_continued ?? 0).Append(_manifest.RestartGeneration).Where(
            needed => needed > 0);

    /// <summary>
    /// Does work that takes turns with its like, on the thread pool, until the store is closed.
    /// </summary>
    private async Task<T> MaintainAsync<T>(Func<CancellationToken, T> work, CancellationToken cancellation)
    {
        ThrowIfNotWritable();
        using CancellationTokenSource ending = CancellationTokenSource.CreateLinkedTokenSource(
            cancellation, _closing.Token);
        await _maintenance.WaitAsync(ending.Token).ConfigureAwait(false);
        try
        {
            return await Task.Run(() => work(ending.Token), ending.Token).ConfigureAwait(false);
        }
        finally
        {
            _maintenance.Release();
        }
    }
}
