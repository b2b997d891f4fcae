using Snapshot.Image;

namespace Snapshot.Storage;

/// <summary>What there is in a store besides what its manifest lists, and how the manifest is.</summary>
/// <remarks>
/// The names are listed before the manifest is read: then every image found under its own name was listed
/// before, and what is not listed now was taken away meanwhile by a writer, or is a finding.
/// </remarks>
internal sealed class StoreSurvey
{
    private readonly IStoreMedium _medium;
    private readonly Manifest _manifest;
    private readonly Dictionary<string, ManifestEntry> _listed;

    private StoreSurvey(IStoreMedium medium, IReadOnlyList<string> names, Manifest manifest)
    {
        _medium = medium;
        _manifest = manifest;
        _listed = manifest.Entries.Concat(manifest.Retired).ToDictionary(entry => entry.FileName);
        foreach (string name in names.Order(StringComparer.Ordinal)) Look(name);
    }

    /// <summary>Names of listed images whose commit lacks its last step.</summary>
    internal List<string> ToRename { get; } = [];

    /// <summary>Names of files that nobody needs: drafts, and what pruning and compaction left.</summary>
    internal List<string> ToDelete { get; } = [];

    /// <summary>Names of complete images that are not listed.</summary>
    internal List<string> Unlisted { get; } = [];

    /// <summary>Names of images that were set aside before.</summary>
    internal List<string> Aside { get; } = [];

    /// <param name="medium">The store.</param>
    /// <param name="names">Its files, listed before the manifest was read.</param>
    /// <param name="manifest">Its manifest.</param>
    internal static StoreSurvey Of(IStoreMedium medium, IReadOnlyList<string> names, Manifest manifest) =>
        new(medium, names, manifest);

    /// <summary>Everything that whoever looks after the store should know.</summary>
    internal IReadOnlyList<StoreFinding> Findings()
    {
        List<StoreFinding> findings = [];
        if (_manifest.DamagedHalf is { } half) findings.Add(DamagedHalf(half));
        foreach (string name in Unlisted) Add(findings, StoreFindingKind.UnlistedImage, name);
        foreach (string name in Aside) Add(findings, StoreFindingKind.ImageSetAside, name);
        return findings;
    }

    private void Look(string name)
    {
        if (ImageFileName.IsAside(name)) Aside.Add(name);
        else if (ImageFileName.IsImage(name)) LookAtImage(name);
        else if (ImageFileName.IsPartial(name)) LookAtPartial(name);
    }

    private void LookAtImage(string name)
    {
        if (_listed.TryGetValue(name, out ManifestEntry? entry))
        {
            if (entry.IsRetired) ToDelete.Add(name);
        }
        else if (IsReplaced(name)) ToDelete.Add(name);
        else Unlisted.Add(name);
    }

    private void LookAtPartial(string name)
    {
        bool isImage = ImageFileName.IsPartialImage(name);
        if (isImage && _listed.TryGetValue(ImageFileName.Bare(name), out ManifestEntry? entry))
            (entry.IsRetired ? ToDelete : ToRename).Add(name);
        else if (isImage && _manifest.DamagedHalf is not null && IsComplete(name)) Unlisted.Add(name);
        else ToDelete.Add(name);
    }

    /// <summary>
    /// Whether a compaction replaced it: the same state is listed, under a higher revision.
    /// </summary>
    private bool IsReplaced(string name)
    {
        (long generation, int revision) = ImageFileName.Parse(name);
        ManifestEntry? listed = _manifest.Entries.FirstOrDefault(entry => entry.Generation == generation);
        return listed?.Revision > revision && IdOf(name) == listed.ImageId;
    }

    private bool IsComplete(string name) => IdOf(name) is not null;

    /// <summary>The id that an image gives itself, or null when it is no complete image.</summary>
    private Guid? IdOf(string name)
    {
        try
        {
            using ImageReader image = ImageReader.Open(_medium.OpenForReading(name));
            return image.Header.ImageId;
        }
        catch (SnapshotException error) when (error.Code != SnapshotErrorCode.StoreIo)
        {
            return null;
        }
    }

    private StoreFinding DamagedHalf(int half) => new(
        StoreFindingKind.DamagedHalf, Path.Combine(_medium.Location, Manifest.FileName), null, 0,
        $"half {half} of the manifest is not valid: the last write of the manifest was cut off, or the " +
        $"file is damaged. The other half, with sequence {_manifest.Sequence}, is the state of the store. " +
        "Generations that only the invalid half listed are not listed now.");

    private void Add(List<StoreFinding> findings, StoreFindingKind kind, string name)
    {
        long bytes;
        try
        {
            using IStoreFile file = _medium.OpenForReading(name);
            bytes = file.Length;
        }
        catch (SnapshotException error) when (error.Code == SnapshotErrorCode.NotFound)
        {
            return; // A writer took it away after it was listed.
        }

        (long generation, _) = ImageFileName.Parse(name);
        string what = kind == StoreFindingKind.UnlistedImage
            ? "the manifest does not list. Whoever opens the store for writing sets it aside"
            : "was set aside, because the manifest did not list it";
        findings.Add(new StoreFinding(
            kind, Path.Combine(_medium.Location, name), generation, bytes,
            $"{name} is an image of generation {generation} that {what}. 'snapshot recover' lists it " +
            "again. If nobody needs it, delete the file."));
    }
}
