using Snapshot.Image;

namespace Snapshot.Storage;

/// <summary>Reads every byte of some images and collects what is wrong.</summary>
internal sealed class StoreVerifier(
    IStoreMedium medium, IReadOnlyList<ManifestEntry> entries, IProgress<StoreProgress>? progress)
        : IDisposable
{
    private const int WindowBytes = 4 << 20;

    private readonly List<VerifyProblem> _problems = [];
    private readonly BlockScratch _scratch = new(WindowBytes);
    private int _images;
    private long _blocks;
    private long _bytes;
    private long _bytesTotal;

    /// <param name="images">What to verify.</param>
    /// <param name="findings">What else there is in the store.</param>
    /// <param name="cancellation">Ends the work.</param>
    internal VerifyReport Verify(
        IReadOnlyList<ManifestEntry> images, IReadOnlyList<StoreFinding> findings,
        CancellationToken cancellation)
    {
        // An image that was set aside is not wrong, only there.
        foreach (StoreFinding finding in findings.Where(
            found => found.Kind != StoreFindingKind.ImageSetAside))
        {
            _problems.Add(new VerifyProblem(
                SnapshotErrorCode.Corrupt, finding.Generation, finding.Path, null, finding.Message));
        }

        _bytesTotal = images.Sum(entry => entry.FileLength);
        foreach (ManifestEntry entry in images)
        {
            long start = _bytes;
            VerifyImage(entry, cancellation);
            _bytes = start + entry.FileLength;
            progress?.Report(new StoreProgress(entry.Generation, _bytes, _bytesTotal));
        }

        return new VerifyReport(_problems, _images, _blocks, _bytes) { Findings = findings };
    }

    public void Dispose() => _scratch.Dispose();

    private void VerifyImage(ManifestEntry entry, CancellationToken cancellation)
    {
        bool isThere = Attempt(entry, () =>
        {
            using ImageReader image = GenerationChain.Open(medium, entry, isAncestor: false);
            VerifyBlocks(entry, image, cancellation);
            VerifyLink(entry, image);
        });
        if (isThere)
        {
            _images++;
            return;
        }

        // Ends, because each compaction makes a file of a higher revision.
        ManifestEntry? replacement = Listed().FirstOrDefault(now => now.Generation == entry.Generation);
        if (replacement is not null) VerifyImage(replacement, cancellation);
    }

    private void VerifyBlocks(ManifestEntry entry, ImageReader image, CancellationToken cancellation)
    {
        long start = _bytes;
        for (int place = 0; place < image.Blocks.Length; place++)
        {
            cancellation.ThrowIfCancellationRequested();
            int block = image.BlockInFile(place);
            Attempt(entry, () => image.ReadBlock(block, _scratch));
            _blocks++;
            if (place % 64 != 63) continue;
            _bytes = start + image.Blocks[block].Offset;
            progress?.Report(new StoreProgress(entry.Generation, _bytes, _bytesTotal));
        }
    }

    /// <summary>
    /// That the parent is there and has the pages is enough for the chain: the parent is held to the same.
    /// </summary>
    private void VerifyLink(ManifestEntry entry, ImageReader image) => Attempt(entry, () =>
    {
        List<ManifestEntry> chain = GenerationChain.Follow(entries, entry, medium.Location);
        if (chain.Count == 1) return;
        using ImageReader parent = GenerationChain.Open(medium, chain[1], isAncestor: true);
        ChainMap.CheckLink(image, parent);
    });

    /// <summary>Checks, and puts what is wrong into the report.</summary>
    /// <returns>False when a writer pruned or compacted meanwhile what was to be checked.</returns>
    private bool Attempt(ManifestEntry entry, Action check)
    {
        try
        {
            check();
        }
        catch (SnapshotException error)
            when (IsMissing(error) && Listed().All(now => now.FileName != Path.GetFileName(error.Path)))
        {
            return false;
        }
        catch (SnapshotException error) // The report is where it surfaces.
        {
            string path = error.Path ?? Path.Combine(medium.Location, entry.FileName);
            _problems.Add(new VerifyProblem(error.Code, entry.Generation, path, error.Offset, error.Message));
        }

        return true;
    }

    private static bool IsMissing(SnapshotException error) =>
        error.Code == SnapshotErrorCode.NotFound ||
        error.InnerException is SnapshotException { Code: SnapshotErrorCode.NotFound };

    /// <summary>The images that are committed now: a writer goes on while a verification reads.</summary>
    private IReadOnlyList<ManifestEntry> Listed() => Manifest.Read(medium).Entries;
}
