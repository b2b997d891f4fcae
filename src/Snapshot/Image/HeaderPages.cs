using System.Buffers.Binary;
using System.IO.Hashing;
using Snapshot.Base;
using static Snapshot.Image.ImageFormat;

namespace Snapshot.Image;

/// <summary>The footer page.</summary>
internal readonly record struct ImageFooter(
    long IndexOffset, long IndexLength, ulong IndexChecksum, long FileLength, Guid ImageId);

/// <summary>The first and the last page of an image: made and checked.</summary>
internal static class HeaderPages
{
    internal static byte[] MakeHeader(ImageHeader header)
    {
        byte[] page = new byte[PageSize];
        HeaderMagic.CopyTo(page);
        Put16(page, Header.Major, Major);
        Put16(page, Header.Minor, Minor);
        Put32(page, Header.PageSize, PageSize);
        header.ImageId.TryWriteBytes(page.AsSpan(Header.ImageId));
        Put64(page, Header.Generation, (ulong)header.Generation);
        (header.Parent?.ImageId ?? Guid.Empty).TryWriteBytes(page.AsSpan(Header.ParentId));
        Put64(page, Header.ParentGeneration, (ulong)(header.Parent?.Generation ?? 0));
        Put64(page, Header.Created, (ulong)ToFileTime(header.Created));
        Put32(page, Header.Kind, (uint)header.Kind);
        Put32(page, Header.BlockPages, BlockPagesMax);
        Put16(page, Header.Architecture, header.Architecture.Number);
        page[Header.ByteOrder] = header.Architecture.IsLittleEndian ? LittleEndian : BigEndian;
        byte[] tag = RecordedTag.Encode(header.Tag);
        Put16(page, Header.TagLength, (ushort)tag.Length);
        tag.CopyTo(page, Header.Tag);
        return Seal(page);
    }

    internal static byte[] MakeFooter(ImageFooter footer)
    {
        byte[] page = new byte[PageSize];
        FooterMagic.CopyTo(page);
        Put16(page, Footer.Major, Major);
        Put16(page, Footer.Minor, Minor);
        Put64(page, Footer.IndexOffset, (ulong)footer.IndexOffset);
        Put64(page, Footer.IndexLength, (ulong)footer.IndexLength);
        Put64(page, Footer.IndexChecksum, footer.IndexChecksum);
        Put64(page, Footer.FileLength, (ulong)footer.FileLength);
        footer.ImageId.TryWriteBytes(page.AsSpan(Footer.ImageId));
        return Seal(page);
    }

    /// <summary>Checks the first page; also gives the version of the file.</summary>
    internal static ImageHeader ReadHeader(ReadOnlySpan<byte> page, string name, out Version version)
    {
        CheckPage(page, HeaderMagic, "header", name, 0);
        version = new Version(Get16(page, Header.Major), Get16(page, Header.Minor));
        if (version.Major != Major)
            throw ImageErrors.Unsupported(
                name, Header.Major, $"the image has format {version}, this library reads {Major}.x");

        ImageHeader header = new(
            new Guid(page.Slice(Header.ImageId, 16)), Size(page, Header.Generation, name, 0),
            ReadParent(page, name),
            FromFileTime((long)Get64(page, Header.Created)))
        {
            Architecture = ReadArchitecture(page, name),
            Tag = version.Minor >= TagSince ? ReadTag(page, name) : null,
        };
        if (Get32(page, Header.PageSize) != PageSize ||
            Get32(page, Header.BlockPages) is 0 or > BlockPagesMax)
            throw ImageErrors.Corrupt(
                name, Header.PageSize, "the page size or the block size is not one of this format");
        if (header.ImageId == Guid.Empty || header.Generation < 1 ||
            header.Parent?.Generation >= header.Generation)
            throw ImageErrors.Corrupt(
                name, Header.ImageId, "id, generation or parent generation is impossible");
        if (Get32(page, Header.Kind) != (uint)header.Kind)
            throw ImageErrors.Corrupt(
                name, Header.Kind, "a full image has no parent and an incremental one has one");
        return header;
    }

    internal static ImageFooter ReadFooter(ReadOnlySpan<byte> page, string name, long offset)
    {
        CheckPage(page, FooterMagic, "footer", name, offset);
        return new ImageFooter(
            Size(page, Footer.IndexOffset, name, offset), Size(page, Footer.IndexLength, name, offset),
            Get64(page, Footer.IndexChecksum),
            Size(page, Footer.FileLength, name, offset), new Guid(page.Slice(Footer.ImageId, 16)));
    }

    internal static ulong ChecksumOf(ReadOnlySpan<byte> page) => Get64(page, PageChecksumOffset);

    private static ImageLink? ReadParent(ReadOnlySpan<byte> page, string name)
    {
        Guid id = new(page.Slice(Header.ParentId, 16));
        long generation = Size(page, Header.ParentGeneration, name, 0);
        if ((id == Guid.Empty) != (generation == 0))
            throw ImageErrors.Corrupt(name, Header.ParentId, "a parent needs both id and generation");
        return generation == 0 ? null : new ImageLink(id, generation);
    }

    /// <summary>Before version 1.3 it was not recorded, and could be one only.</summary>
    private static MachineArchitecture ReadArchitecture(ReadOnlySpan<byte> page, string name)
    {
        ushort number = Get16(page, Header.Architecture);
        byte order = page[Header.ByteOrder];
        if ((number, order) == (0, 0)) return MachineArchitecture.X64;
        if (number == 0 || order is not (LittleEndian or BigEndian))
            throw ImageErrors.Corrupt(name, Header.Architecture, "architecture or byte order is impossible");
        return new MachineArchitecture(number, order == LittleEndian);
    }

    private static string? ReadTag(ReadOnlySpan<byte> page, string name)
    {
        int length = Get16(page, Header.TagLength);
        if (length == 0) return null;
        return length <= RecordedTag.MaxBytes && RecordedTag.Decode(page.Slice(Header.Tag, length)) is { } tag
            ? tag
            : throw ImageErrors.Corrupt(name, Header.TagLength, "what should be a tag is none");
    }

    private static void CheckPage(
        ReadOnlySpan<byte> page, ReadOnlySpan<byte> magic, string what, string name, long offset)
    {
        if (!page.StartsWith(magic))
            throw ImageErrors.Corrupt(
                name, offset, $"there is no {what}: the file is truncated or not an image");
        if (XxHash3.HashToUInt64(page[..PageChecksumOffset]) != ChecksumOf(page))
            throw ImageErrors.Corrupt(name, offset, $"the checksum of the {what} is wrong");
    }

    private static byte[] Seal(byte[] page)
    {
        Put64(page, PageChecksumOffset, XxHash3.HashToUInt64(page.AsSpan(0, PageChecksumOffset)));
        return page;
    }

    private static long Size(ReadOnlySpan<byte> page, int at, string name, long pageOffset)
    {
        ulong value = Get64(page, at);
        if (value > long.MaxValue) throw ImageErrors.Corrupt(name, pageOffset + at, $"{value} is too large");
        return (long)value;
    }

    private static void Put16(Span<byte> page, int at, ushort value) =>
        BinaryPrimitives.WriteUInt16LittleEndian(page[at..], value);

    private static void Put32(Span<byte> page, int at, uint value) =>
        BinaryPrimitives.WriteUInt32LittleEndian(page[at..], value);

    private static void Put64(Span<byte> page, int at, ulong value) =>
        BinaryPrimitives.WriteUInt64LittleEndian(page[at..], value);

    private static ushort Get16(ReadOnlySpan<byte> page, int at) =>
        BinaryPrimitives.ReadUInt16LittleEndian(page[at..]);

    private static uint Get32(ReadOnlySpan<byte> page, int at) =>
        BinaryPrimitives.ReadUInt32LittleEndian(page[at..]);

    private static ulong Get64(ReadOnlySpan<byte> page, int at) =>
        BinaryPrimitives.ReadUInt64LittleEndian(page[at..]);
}
