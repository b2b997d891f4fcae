using Snapshot.Image;

namespace Snapshot.Storage;

/// <summary>Opens images as the manifest lists them, and follows their parents.</summary>
internal static class GenerationChain
{
    /// <summary>The entry and its ancestors, newest first.</summary>
    /// <exception cref="SnapshotException">ChainBroken: an ancestor is not committed, or is not the one the
    /// child was made from.</exception>
    internal static List<ManifestEntry> Follow(
        IReadOnlyList<ManifestEntry> entries, ManifestEntry newest, string location)
    {
        Dictionary<long, ManifestEntry> byGeneration = entries.ToDictionary(entry => entry.Generation);
        List<ManifestEntry> chain = [newest];
        // Ends, because a parent's generation is smaller than its child's.
        while (chain[^1].Parent is { } parent)
        {
            if (!byGeneration.TryGetValue(parent.Generation, out ManifestEntry? found)
                || found.ImageId != parent.ImageId)
            {
                string why = found is null ? "is not in the store" : "is not the one it was made from";
                throw new SnapshotException(
                    SnapshotErrorCode.ChainBroken,
                    $"{Path.Combine(location, chain[^1].FileName)} needs generation {parent.Generation}, " +
                    $"which {why}. Restart from an older generation.")
                {
                    Path = Path.Combine(location, chain[^1].FileName),
                    Generation = chain[^1].Generation,
                };
            }

            chain.Add(found);
        }

        return chain;
    }

    /// <summary>As much of the chain as there is: verification says itself what is missing.</summary>
    internal static List<ManifestEntry> Known(IReadOnlyList<ManifestEntry> entries, ManifestEntry newest)
    {
        List<ManifestEntry> chain = [newest];
        while (chain[^1].Parent is { } parent
            && entries.FirstOrDefault(entry => entry.Generation == parent.Generation) is { } found)
        {
            chain.Add(found);
        }
        return chain;
    }

    /// <summary>Opens an image and its ancestors, newest first; all of them or none.</summary>
    internal static IReadOnlyList<ImageReader> OpenAll(
        IStoreMedium medium, IReadOnlyList<ManifestEntry> entries, ManifestEntry newest)
    {
        List<ImageReader> images = [];
        try
        {
            foreach (ManifestEntry entry in Follow(entries, newest, medium.Location))
                images.Add(Open(medium, entry, isAncestor: images.Count > 0));
            return images;
        }
        catch
        {
            foreach (ImageReader image in images) image.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Opens the file of a listed image: by its name, or by the one it had before the last step of its
    /// commit, which a writer may be doing now.
    /// </summary>
    internal static IStoreFile OpenFile(IStoreMedium medium, ManifestEntry entry)
    {
        try
        {
            return medium.OpenForReading(entry.FileName);
        }
        catch (SnapshotException error) when (error.Code == SnapshotErrorCode.NotFound)
        {
        }

        try
        {
            return medium.OpenForReading(entry.FileName + ImageFileName.PartialSuffix);
        }
        catch (SnapshotException error) when (error.Code == SnapshotErrorCode.NotFound)
        {
            return medium.OpenForReading(entry.FileName);
        }
    }

    /// <summary>Opens an image and checks that it is the one that was committed.</summary>
    internal static ImageReader Open(IStoreMedium medium, ManifestEntry entry, bool isAncestor)
    {
        ImageReader reader;
        try
        {
            reader = ImageReader.Open(OpenFile(medium, entry));
        }
        catch (SnapshotException error) when (error.Code == SnapshotErrorCode.NotFound)
        {
            throw new SnapshotException(
                isAncestor ? SnapshotErrorCode.ChainBroken : SnapshotErrorCode.NotFound,
                $"{error.Path}: the image of generation {entry.Generation} is missing. " +
                "Restore the file, or restart from a generation that does not need it.",
                error)
            {
                Path = error.Path,
                Generation = entry.Generation,
            };
        }

        bool same = reader.Length == entry.FileLength && reader.IndexChecksum == entry.IndexChecksum
            && reader.Header.ImageId == entry.ImageId && reader.Header.Generation == entry.Generation
            && reader.Header.Parent == entry.Parent;
        if (same) return reader;
        string name = reader.Name;
        reader.Dispose();
        throw new SnapshotException(
            SnapshotErrorCode.Corrupt,
            $"{name} is an image, but not the one that was committed as generation {entry.Generation}.")
        {
            Path = name,
            Generation = entry.Generation,
        };
    }
}
