using Snapshot.Image;

namespace Snapshot.Storage;

/// <summary>Makes a manifest from the images themselves: each says who it is and whose child.</summary>
internal sealed class StoreRecovery
{
    internal const string ReplacedName = "manifest.replaced";

    private readonly IStoreMedium _medium;
    private readonly IReadOnlyList<string> _names;
    private readonly Manifest? _before;
    private readonly List<Candidate> _candidates = [];
    private readonly List<RecoveredImage> _report = [];

    private StoreRecovery(IStoreMedium medium)
    {
        _medium = medium;
        _names = [.. medium.List().Order(StringComparer.Ordinal)];
        _before = ReadManifest();
    }

    /// <param name="medium">The store; locked by the caller unless it only looks.</param>
    /// <param name="dryRun">Whether to say only what would be done.</param>
    internal static RecoveryReport Run(IStoreMedium medium, bool dryRun) =>
        new StoreRecovery(medium).Recover(dryRun);

    private RecoveryReport Recover(bool dryRun)
    {
        HashSet<string> retired = [.. Retired.Select(entry => entry.FileName)];
        foreach (string name in _names)
        {
            if (IsImage(name) && !retired.Contains(ImageFileName.Bare(name))) ReadImage(name);
        }

        if (_candidates.Count == 0 && _before is null)
        {
            throw new SnapshotException(
                SnapshotErrorCode.NotFound,
                $"{_medium.Location} holds no image that can be read, so there is nothing to make a " +
                "manifest from.")
            { Path = _medium.Location };
        }

        List<Candidate> chosen = Choose();
        HashSet<long> found = [.. chosen.Select(image => image.Entry.Generation)];
        foreach (ManifestEntry lost in Listed.Where(entry => !found.Contains(entry.Generation)))
        {
            _report.Add(new RecoveredImage(
                lost.FileName, lost.Generation, RecoveryOutcome.Lost,
                "the manifest lists it, but its image, or one that it needs, is missing or cannot be read"));
        }

        bool hasManifest = _names.Contains(Manifest.FileName);
        if (!dryRun) Apply(chosen, hasManifest);
        return new RecoveryReport(
            [.. _report.OrderBy(image => image.FileName, StringComparer.Ordinal)], chosen.Count,
            hasManifest ? ReplacedName : null);
    }

    private IReadOnlyList<ManifestEntry> Listed => _before?.Entries ?? [];

    private IEnumerable<ManifestEntry> Retired => _before?.Retired ?? [];

    /// <summary>Null when no half is valid, or there is no manifest.</summary>
    private Manifest? ReadManifest()
    {
        if (!_names.Contains(Manifest.FileName)) return null;
        try
        {
            return Manifest.Read(_medium);
        }
        catch (SnapshotException error) when (error.Code == SnapshotErrorCode.Corrupt)
        {
            return null; // That is what a recovery is for.
        }
    }

    private static bool IsImage(string name) =>
        ImageFileName.IsImage(name) || ImageFileName.IsAside(name) || ImageFileName.IsPartialImage(name);

    /// <summary>
    /// What the header, the footer and the index of a file say. A file that cannot be read now ends the
    /// recovery: what it holds is not known.
    /// </summary>
    private void ReadImage(string name)
    {
        (_, int revision) = ImageFileName.Parse(name);
        try
        {
            using ImageReader image = ImageReader.Open(_medium.OpenForReading(name));
            ManifestEntry entry = ManifestEntry.Of(image.Header, image.Length, image.IndexChecksum, revision);
            _candidates.Add(new Candidate(name, entry, Listed.FirstOrDefault(
                listed => listed.Generation == entry.Generation && listed.ImageId == entry.ImageId)));
        }
        catch (SnapshotException error) when (error.Code != SnapshotErrorCode.StoreIo)
        {
            _report.Add(new RecoveredImage(name, null, RecoveryOutcome.LeftAlone, error.Message));
        }
    }

    /// <summary>One image for each generation, as far as all that it needs was chosen, too.</summary>
    private List<Candidate> Choose()
    {
        List<Candidate> chosen = [];
        foreach (IGrouping<long, Candidate> images in
            _candidates.GroupBy(image => image.Entry.Generation).OrderBy(images => images.Key))
        {
            Candidate? best = images.Where(image => HasParent(chosen, image.Entry))
                .OrderByDescending(image => image.IsListed)
                .ThenByDescending(image => image.Entry.Revision).ThenByDescending(
                    image => image.Entry.Created)
                .FirstOrDefault();
            foreach (Candidate image in images)
            {
                RecoveryOutcome outcome = image != best ? RecoveryOutcome.LeftAlone
                    : image.IsListed ? RecoveryOutcome.Kept : RecoveryOutcome.ListedAgain;
                string why = image == best ? "header, index and chain are intact"
                    : best is not null ? $"{best.FileName} is taken for generation {images.Key}"
                    : $"it needs generation {image.Entry.Parent?.Generation}, which is not there";
                _report.Add(new RecoveredImage(image.FileName, images.Key, outcome, why));
            }

            if (best is not null) chosen.Add(best);
        }

        return chosen;
    }

    private static bool HasParent(List<Candidate> chosen, ManifestEntry entry) =>
        entry.Parent is not { } parent
        || chosen.Any(
            image => image.Entry.Generation == parent.Generation && image.Entry.ImageId == parent.ImageId);

    /// <remarks>
    /// Names first, the manifest last: a crash in between leaves images under their own names beside the old
    /// manifest, which the next recovery finds again.
    /// </remarks>
    private void Apply(List<Candidate> chosen, bool hasManifest)
    {
        if (hasManifest) KeepManifest();
        foreach (Candidate image in chosen.Where(image => image.FileName != image.Entry.FileName))
        {
            string name = image.Entry.FileName;
            if (_names.Contains(name)) _medium.Rename(name, ImageFileName.Aside(name, _names));
            _medium.Rename(image.FileName, image.Entry.FileName);
        }

        // Told before it is listed: what a listed name holds is on the disk.
        foreach (Candidate image in chosen.Where(image => !image.IsListed))
        {
            using IStoreFile file = _medium.OpenForUpdate(image.Entry.FileName);
            file.Sync();
        }

        long restart = _before?.RestartGeneration ?? 0;
        // A retired file of a later revision than the one that counts now is found again as one that nobody
        // lists.
        IEnumerable<ManifestEntry> retired = Retired.Where(entry => !chosen.Any(image =>
            image.Entry.Generation == entry.Generation && image.Entry.Revision <= entry.Revision));
        IEnumerable<ManifestEntry> entries = retired.Concat(
            chosen.Select(image => image.Entry with { Flags = FlagsOf(image) }));
        Manifest.Create(_medium, new ManifestState(
            (_before?.Sequence ?? 0) + 1,
            [.. entries.OrderBy(entry => entry.Generation).ThenBy(entry => entry.Revision)],
            chosen.Any(image => image.Entry.Generation == restart) ? restart : 0));
    }

    /// <summary>
    /// An image that was set aside and is older than what the store went on with was passed over.
    /// </summary>
    private EntryFlags FlagsOf(Candidate image)
    {
        if (image.Listed is { } listed) return listed.Flags;
        bool isOlder = Listed is [.., ManifestEntry newest] && image.Entry.Generation < newest.Generation;
        return isOlder ? EntryFlags.PassedOver : EntryFlags.None;
    }

    private void KeepManifest()
    {
        using IStoreFile from = _medium.OpenForReading(Manifest.FileName);
        using IStoreFile to = _medium.Create(ReplacedName, direct: false);
        byte[] bytes = new byte[Math.Min(from.Length, 2 * ManifestHalf.HalfBytes)];
        from.Read(0, bytes);
        to.Write(bytes, 0);
        to.Sync();
    }

    /// <param name="FileName">Where it is.</param>
    /// <param name="Entry">What it says of itself.</param>
    /// <param name="Listed">The entry of the old manifest for the same state, or null.</param>
    private sealed record Candidate(string FileName, ManifestEntry Entry, ManifestEntry? Listed)
    {
        /// <summary>Whether it is the very file that the old manifest lists.</summary>
        internal bool IsListed => Listed is { } listed && listed.Revision == Entry.Revision
            && listed.FileLength == Entry.FileLength && listed.IndexChecksum == Entry.IndexChecksum;
    }
}
