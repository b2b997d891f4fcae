using System.Buffers.Binary;
using System.Text;

namespace Snapshot.NativeThreads;

/// <summary>
/// Takes the fields of a <see cref="NativeManifest"/>; every read is checked against what is there.
/// </summary>
/// <param name="bytes">What is read.</param>
/// <param name="offset">Of the first of them in the whole, for messages.</param>
internal ref struct NativeManifestReader(ReadOnlySpan<byte> bytes, int offset)
{
    internal const int ComponentsMax = 62;
    internal const int FeaturesMax = 64;
    internal const int RangesMax = 1024;
    internal const int LibrariesMax = 1024;

    /// <summary>No address of a process on x86-64 is as high; sums of two cannot overflow.</summary>
    private const ulong AddressEnd = 1UL << 57;

    private static readonly UTF8Encoding s_strictUtf8 = new(false, throwOnInvalidBytes: true);

    private readonly ReadOnlySpan<byte> _bytes = bytes;
    private int _position;

    internal uint U32() => BinaryPrimitives.ReadUInt32LittleEndian(Take(4));

    internal ulong U64() => BinaryPrimitives.ReadUInt64LittleEndian(Take(8));

    /// <summary>A number of items.</summary>
    internal int Count(int most)
    {
        uint value = U32();
        if (value > (uint)most) throw Damaged($"{value} items are more than {most}");
        return (int)value;
    }

    /// <summary>A start and a length.</summary>
    internal AddressRange Range()
    {
        AddressRange range = new(U64(), U64());
        if (range.Start >= AddressEnd || range.Length >= AddressEnd)
            throw Damaged($"0x{range.Start:x} and 0x{range.Length:x} are no range of addresses");
        return range;
    }

    internal string Text()
    {
        ReadOnlySpan<byte> utf8 = Take(BinaryPrimitives.ReadUInt16LittleEndian(Take(2)));
        try
        {
            return s_strictUtf8.GetString(utf8);
        }
        catch (DecoderFallbackException)
        {
            throw Damaged("a text is not UTF-8");
        }
    }

    internal readonly void ExpectEnd()
    {
        if (_position != _bytes.Length) throw Damaged($"{_bytes.Length - _position} bytes are left over");
    }

    internal readonly SnapshotException Damaged(string what) => new(
        SnapshotErrorCode.Corrupt,
        $"The list of native modules in the image is damaged at byte {offset + _position}: {what}. Restart " +
        "from another generation.");

    private ReadOnlySpan<byte> Take(int count)
    {
        if (count > _bytes.Length - _position)
            throw Damaged($"{count} bytes are needed and {_bytes.Length - _position} are left");
        ReadOnlySpan<byte> taken = _bytes.Slice(_position, count);
        _position += count;
        return taken;
    }
}
