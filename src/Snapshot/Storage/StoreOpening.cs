using Snapshot.Image;

namespace Snapshot.Storage;

/// <summary>
/// What is done when a store is opened: its state is read, made durable, and what was cut off is ended.
/// </summary>
internal static class StoreOpening
{
    /// <summary>
    /// Reads the manifest for writing, making one in an empty directory, and puts the files in order.
    /// </summary>
    /// <param name="medium">The store.</param>
    /// <param name="writerLock">Held by the caller.</param>
    internal static (Manifest Manifest, IReadOnlyList<StoreFinding> Findings) ForWriting(
        IStoreMedium medium, IStoreLock writerLock)
    {
        IReadOnlyList<string> names = medium.List();
        bool isNew = !names.Contains(Manifest.FileName);
        if (isNew)
        {
            StoreErrors.ThrowIfManifestMissing(medium.Location, names);
            Manifest.Create(medium, new ManifestState(1, []));
        }

        Manifest manifest = Manifest.Read(medium, writerLock);
        StoreSurvey survey = StoreSurvey.Of(medium, names, manifest);

        // First of all, for it may overwrite a damaged half: after it nothing tells that something is
        // missing.
        SetAside(medium, names, survey);
        IReadOnlyList<StoreFinding> findings = StoreSurvey.Of(medium, medium.List(), manifest).Findings();
        if (!isNew) manifest.Confirm();
        foreach (string name in survey.ToRename) medium.Rename(name, ImageFileName.Bare(name));
        foreach (string name in survey.ToDelete) medium.Delete(name);
        foreach (ManifestEntry retired in manifest.Retired) manifest.Forget(retired);
        return (manifest, findings);
    }

    /// <summary>Makes up for the last step of commits that lack it.</summary>
    internal static void FinishNames(IStoreMedium medium, Manifest manifest)
    {
        foreach (string name in StoreSurvey.Of(medium, medium.List(), manifest).ToRename)
            medium.Rename(name, ImageFileName.Bare(name));
    }

    /// <summary>Reads the manifest, and says what else there is.</summary>
    internal static (Manifest Manifest, IReadOnlyList<StoreFinding> Findings) ForReading(IStoreMedium medium)
    {
        IReadOnlyList<string> names = medium.List();
        if (!names.Contains(Manifest.FileName))
        {
            StoreErrors.ThrowIfManifestMissing(medium.Location, names);
            throw new SnapshotException(
                SnapshotErrorCode.NotFound, $"{medium.Location} is not a store: it has no manifest.")
            { Path = medium.Location };
        }

        Manifest manifest = Manifest.Read(medium);
        return (manifest, StoreSurvey.Of(medium, names, manifest).Findings());
    }

    /// <summary>Gives complete images that are not listed names that no generation will have.</summary>
    private static void SetAside(IStoreMedium medium, IReadOnlyList<string> names, StoreSurvey survey)
    {
        if (survey.Unlisted.Count == 0) return;
        HashSet<string> taken = [.. names];
        foreach (string name in survey.Unlisted)
        {
            string aside = ImageFileName.Aside(name, taken);
            taken.Add(aside);
            medium.Rename(name, aside);
        }

        medium.SyncDirectory();
    }
}
