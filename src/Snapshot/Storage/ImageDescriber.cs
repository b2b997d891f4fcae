using Snapshot.Image;

namespace Snapshot.Storage;

/// <summary>Sums up an open image for inspection.</summary>
internal static class ImageDescriber
{
    internal static ImageDescription Describe(GenerationInfo info, ImageReader image)
    {
        ImageMetadata metadata = image.Metadata;
        return new ImageDescription(
            info, image.FormatVersion, image.Header.Parent?.ImageId, [.. image.Regions.Select(CountPages)],
            metadata.Roots, metadata.Participants,
            [.. metadata.AsyncHandlers.Select(handler => handler.Name)],
            metadata.Environment, metadata.Figures, CountEncodings(image.Blocks),
            image.Header.Architecture.ToString());
    }

    private static RegionStatistics CountPages(ImageRegion region)
    {
        Span<long> pages = stackalloc long[4];
        foreach (ref readonly ImageExtent extent in region.Extents)
            pages[(int)extent.Kind] += extent.PageCount;
        return new RegionStatistics(
            region.Description, region.Extents.Length, pages[(int)ExtentKind.Present],
            pages[(int)ExtentKind.InParent],
            pages[(int)ExtentKind.Zero], pages[(int)ExtentKind.Excluded]);
    }

    private static List<EncodingStatistics> CountEncodings(ReadOnlySpan<ImageBlock> blocks)
    {
        SortedDictionary<(StoredEncoding, byte), EncodingStatistics> counts = [];
        foreach (ref readonly ImageBlock block in blocks)
        {
            (StoredEncoding, byte) key = (block.Encoding, block.ElementSize);
            counts.TryGetValue(key, out EncodingStatistics? count);
            counts[key] = new EncodingStatistics(
                NameOf(block),
                (count?.BlockCount ?? 0) + 1,
                (count?.PageBytes ?? 0) + block.PageCount * ImageFormat.PageSize,
                (count?.StoredBytes ?? 0) + block.StoredLength);
        }

        return [.. counts.Values];
    }

    private static string NameOf(in ImageBlock block) => block.Encoding switch
    {
        StoredEncoding.Plain or StoredEncoding.PlainByPage => "plain",
        StoredEncoding.Lz4 => "lz4",
        StoredEncoding.DifferenceShuffleLz4 => $"difference+shuffle{block.ElementSize}+lz4",
        _ => $"shuffle{block.ElementSize}+lz4",
    };
}
