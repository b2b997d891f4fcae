using System.Buffers.Binary;
using System.Text;
using Snapshot.Base;

namespace Snapshot.Image;

/// <summary>
/// Takes little-endian fields from bytes that are not trusted: every read is checked against what is there.
/// </summary>
internal ref struct FormatReader(ReadOnlySpan<byte> bytes, string name, long fileOffset)
{
    private static readonly UTF8Encoding s_strictUtf8 = new(false, throwOnInvalidBytes: true);

    private readonly ReadOnlySpan<byte> _bytes = bytes;
    private int _position;

    internal readonly int Remaining => _bytes.Length - _position;

    internal byte U8() => Take(1)[0];

    internal ushort U16() => BinaryPrimitives.ReadUInt16LittleEndian(Take(2));

    internal uint U32() => BinaryPrimitives.ReadUInt32LittleEndian(Take(4));

    internal ulong U64() => BinaryPrimitives.ReadUInt64LittleEndian(Take(8));

    /// <summary>A u32 that is an id: 1 to 2^30 - 1.</summary>
    internal int Id()
    {
        uint value = U32();
        if (value is 0 or >= RegionLimits.IdEnd) throw Corrupt($"{value} is not an id");
        return (int)value;
    }

    /// <summary>
    /// A u64 that is a size or a count: below 2^60, so that sums and pages in bytes cannot overflow.
    /// </summary>
    internal long Size()
    {
        ulong value = U64();
        if (value >= 1UL << 60) throw Corrupt($"{value} is not a size");
        return (long)value;
    }

    /// <summary>
    /// A count of items that take at least so many bytes each: bounded by the bytes there are.
    /// </summary>
    internal int Count(ulong value, int itemBytesMin)
    {
        if (value > (ulong)(Remaining / itemBytesMin))
            throw Corrupt($"{value} items do not fit into the {Remaining} bytes left");
        return (int)value;
    }

    internal string Text() => Decode(Take(U16()));

    /// <summary>A text by which something is found again: 1 to 255 bytes.</summary>
    internal string Name()
    {
        ReadOnlySpan<byte> utf8 = Take(U16());
        if (!RecordedName.IsUsable(utf8)) throw Corrupt($"{utf8.Length} bytes are not the length of a name");
        return Decode(utf8);
    }

    internal void Skip(int count) => Take(count);

    internal FormatReader Slice(int length)
    {
        long offset = fileOffset + _position;
        return new FormatReader(Take(length), name, offset);
    }

    internal readonly void ExpectEnd()
    {
        if (Remaining != 0) throw Corrupt($"{Remaining} bytes are left over");
    }

    /// <summary>What a newer writer may mean and this reader does not know.</summary>
    internal readonly SnapshotException Unsupported(string what) =>
        ImageErrors.Unsupported(name, fileOffset + _position, what);

    internal readonly SnapshotException Corrupt(string what) =>
        ImageErrors.Corrupt(name, fileOffset + _position, what);

    private ReadOnlySpan<byte> Take(int count)
    {
        if (count > Remaining) throw Corrupt($"{count} bytes are needed and {Remaining} are left");
        ReadOnlySpan<byte> taken = _bytes.Slice(_position, count);
        _position += count;
        return taken;
    }

    private readonly string Decode(ReadOnlySpan<byte> utf8)
    {
        try
        {
            return s_strictUtf8.GetString(utf8);
        }
        catch (DecoderFallbackException)
        {
            throw Corrupt("a text is not UTF-8");
        }
    }
}
