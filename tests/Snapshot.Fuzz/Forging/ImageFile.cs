using Snapshot.Image;
using static Snapshot.Image.ImageFormat;

namespace Snapshot.Fuzz.Forging;

/// <summary>Puts a file together from its three parts.</summary>
internal static class ImageFile
{
    /// <summary>
    /// The parts, each padded to whole pages, a footer that says where they are, and right checksums.
    /// </summary>
    /// <param name="header">At most a page.</param>
    /// <param name="blocks">What stands between header and index.</param>
    /// <param name="index">The index.</param>
    internal static byte[] Assemble(
        ReadOnlySpan<byte> header, ReadOnlySpan<byte> blocks, ReadOnlySpan<byte> index)
    {
        int indexOffset = PageSize + Padded(blocks.Length);
        int indexLength = Math.Max(Padded(index.Length), PageSize);
        byte[] file = new byte[indexOffset + indexLength + PageSize];
        header.CopyTo(file);
        blocks.CopyTo(file.AsSpan(PageSize));
        index.CopyTo(file.AsSpan(indexOffset));
        byte[] footer = HeaderPages.MakeFooter(
            new ImageFooter(
                indexOffset, indexLength, 0, file.Length, new Guid(file.AsSpan(Header.ImageId, 16))));
        footer.CopyTo(file.AsSpan(indexOffset + indexLength));
        ImageSeal.Mend(file);
        return file;
    }

    private static int Padded(int length) => (length + PageSize - 1) & -PageSize;
}
