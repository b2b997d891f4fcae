namespace Snapshot.Storage;

/// <summary>What an interrupted writer left in a store.</summary>
internal static class StoreLeftovers
{
    /// <summary>Deletes files that were being written, and images that the manifest does not list.</summary>
    internal static void Delete(IStoreMedium medium, IReadOnlyList<string> names, Manifest manifest)
    {
        HashSet<string> committed = [.. manifest.Entries.Select(entry => entry.FileName)];
        foreach (string name in names)
        {
            if (ImageFileName.IsPartial(name) || (ImageFileName.IsImage(name) && !committed.Contains(name)))
                medium.Delete(name);
        }
    }
}
