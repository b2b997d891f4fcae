using System.Buffers.Binary;
using System.Text;

namespace Snapshot.NativeThreads;

/// <summary>
/// The bytes of a file that is not trusted: every read is checked against what is there, and a read that goes
/// wrong is an error that names the file and the offset.
/// </summary>
/// <param name="path">The file, for messages.</param>
/// <param name="all">All its bytes.</param>
internal sealed class ElfBytes(string path, ReadOnlyMemory<byte> all)
{
    /// <summary>A name in a file that is not damaged is shorter.</summary>
    private const int NameBytesMax = 1 << 16;

    internal string Path => path;

    internal ulong Length => (ulong)all.Length;

    internal byte U8(ulong offset) => Take(offset, 1)[0];

    internal ushort U16(ulong offset) => BinaryPrimitives.ReadUInt16LittleEndian(Take(offset, 2));

    internal uint U32(ulong offset) => BinaryPrimitives.ReadUInt32LittleEndian(Take(offset, 4));

    internal ulong U64(ulong offset) => BinaryPrimitives.ReadUInt64LittleEndian(Take(offset, 8));

    /// <summary>So many bytes from an offset; all of them are in the file.</summary>
    internal ReadOnlySpan<byte> Take(ulong offset, ulong count)
    {
        if (offset > Length || count > Length - offset)
            throw Damaged(offset, $"{count} bytes are needed there and the file has {Length}");
        return all.Span.Slice((int)offset, (int)count);
    }

    /// <summary>The name that begins at an offset and ends with a zero byte.</summary>
    internal string Name(ulong offset)
    {
        ReadOnlySpan<byte> rest = Take(offset, Math.Min(NameBytesMax, offset > Length ? 1 : Length - offset));
        int length = rest.IndexOf((byte)0);
        if (length < 0) throw Damaged(offset, "a name does not end");
        return Encoding.UTF8.GetString(rest[..length]);
    }

    /// <summary>The file is no shared library of the kind that is read here.</summary>
    internal SnapshotException Foreign(string what) => new(
        SnapshotErrorCode.NativeModule,
        $"{path} cannot be a native module: {what}. Give a shared library for 64-bit Linux on x86-64, as " +
        "snapshot-cc links it.")
    {
        Path = path,
    };

    /// <summary>The file contradicts itself.</summary>
    internal SnapshotException Damaged(ulong offset, string what) => new(
        SnapshotErrorCode.NativeModule,
        $"{path}, offset {offset}: {what}. The library is damaged; link it again.")
    {
        Path = path,
        Offset = (long)Math.Min(offset, long.MaxValue),
    };
}
