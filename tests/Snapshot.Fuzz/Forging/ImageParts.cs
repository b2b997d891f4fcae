using System.Buffers.Binary;
using System.Text;
using Snapshot.Image;
using static Snapshot.Image.ImageFormat;

namespace Snapshot.Fuzz.Forging;

/// <summary>
/// An image taken apart, to be changed and put together again as a file whose layout and checksums are right.
/// </summary>
internal sealed class ImageParts
{
    private readonly List<(string Name, uint Flags, byte[] Payload)> _sections = [];

    private ImageParts(byte[] header, byte[] blocks)
    {
        Header = header;
        Blocks = blocks;
    }

    /// <summary>The header page.</summary>
    internal byte[] Header { get; }

    /// <summary>The bytes between header and index.</summary>
    internal byte[] Blocks { get; }

    /// <summary>Takes an intact image apart.</summary>
    internal static ImageParts Of(ReadOnlySpan<byte> file)
    {
        int indexOffset =
            (int)BinaryPrimitives.ReadUInt64LittleEndian(file[^PageSize..][Footer.IndexOffset..]);
        ImageParts parts = new(file[..PageSize].ToArray(), file[PageSize..indexOffset].ToArray());
        ReadOnlySpan<byte> index = file[indexOffset..^PageSize];
        int count = BinaryPrimitives.ReadInt32LittleEndian(index[16..]);
        index = index[IndexPreambleBytes..];
        for (int i = 0; i < count; i++)
        {
            int length = (int)BinaryPrimitives.ReadUInt64LittleEndian(index[8..]);
            parts._sections.Add((
                Encoding.ASCII.GetString(index[..4]), BinaryPrimitives.ReadUInt32LittleEndian(index[4..]),
                index.Slice(SectionHeaderBytes, length).ToArray()));
            index = index[(SectionHeaderBytes + ((length + 7) & ~7))..];
        }

        return parts;
    }

    /// <summary>The payload of a section; to be changed in place.</summary>
    internal byte[] Section(string name) => _sections.Find(section => section.Name == name).Payload;

    /// <summary>Gives a section another payload, or adds it.</summary>
    internal void Replace(string name, Action<FormatWriter> write)
    {
        FormatWriter payload = new();
        write(payload);
        int index = _sections.FindIndex(section => section.Name == name);
        (string, uint, byte[]) replaced = (name, SectionRequired, payload.Written.ToArray());
        if (index < 0) _sections.Add(replaced);
        else _sections[index] = replaced;
    }

    /// <summary>The regions, read and written back by <paramref name="change"/>.</summary>
    internal void ChangeRegions(Action<List<ForgedRegion>> change)
    {
        List<ForgedRegion> regions = ForgedRegion.ReadAll(Section("REGN"));
        change(regions);
        Replace("REGN", to => ForgedRegion.WriteAll(to, regions));
    }

    /// <summary>The extents of all regions, read and written back by <paramref name="change"/>.</summary>
    internal void ChangeExtents(Action<List<ulong>> change)
    {
        byte[] payload = Section("EXTN");
        List<ulong> extents = [];
        for (int at = 8; at < payload.Length; at += ExtentBytes)
            extents.Add(BitConverter.ToUInt64(payload, at));
        change(extents);
        Replace("EXTN", to =>
        {
            to.U64((ulong)extents.Count);
            extents.ForEach(to.U64);
        });
    }

    /// <summary>The file: every offset, length and checksum is right.</summary>
    internal byte[] ToFile()
    {
        FormatWriter index = new();
        index.Bytes(IndexMagic);
        index.U64(0);
        index.U32((uint)_sections.Count);
        index.U32(0);
        index.U64(0);
        foreach ((string name, uint flags, byte[] payload) in _sections)
        {
            index.Bytes(Encoding.ASCII.GetBytes(name));
            index.U32(flags);
            index.U64((ulong)payload.Length);
            index.Bytes(payload);
            index.PadTo(8);
        }

        index.PatchU64(24, (ulong)index.Length);
        index.PadTo(PageSize);
        return ImageFile.Assemble(Header, Blocks, index.Written);
    }
}
