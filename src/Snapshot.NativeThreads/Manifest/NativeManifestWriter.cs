using System.Buffers;
using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;

namespace Snapshot.NativeThreads;

/// <summary>Puts the fields of a <see cref="NativeManifest"/> one behind the other.</summary>
internal sealed class NativeManifestWriter
{
    private readonly ArrayBufferWriter<byte> _bytes = new();

    internal void U32(uint value)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(_bytes.GetSpan(4), value);
        _bytes.Advance(4);
    }

    internal void U64(ulong value)
    {
        U32((uint)value);
        U32((uint)(value >> 32));
    }

    /// <exception cref="ArgumentException">There are more items than the format allows.</exception>
    internal void Count(int count, int most)
    {
        if (count > most)
            throw new ArgumentException($"{count} items are more than the {most} of the format");
        U32((uint)count);
    }

    /// <exception cref="ArgumentException">The text has more than 65,535 bytes.</exception>
    internal void Text(string value)
    {
        byte[] utf8 = Encoding.UTF8.GetBytes(value);
        if (utf8.Length > ushort.MaxValue)
            throw new ArgumentException($"a text of {utf8.Length} bytes is too long");
        BinaryPrimitives.WriteUInt16LittleEndian(_bytes.GetSpan(2), (ushort)utf8.Length);
        _bytes.Advance(2);
        _bytes.Write(utf8);
    }

    /// <summary>All fields, with the length and the checksum in the header.</summary>
    internal byte[] Finish(int headerSize, int most)
    {
        byte[] all = _bytes.WrittenSpan.ToArray();
        if (all.Length > most)
            throw new ArgumentException($"{all.Length} bytes are more than the {most} of the format");
        BinaryPrimitives.WriteUInt32LittleEndian(all.AsSpan(8), (uint)all.Length);
        ulong hash = XxHash64.HashToUInt64(all.AsSpan(headerSize));
        BinaryPrimitives.WriteUInt64LittleEndian(all.AsSpan(headerSize - 8), hash);
        return all;
    }
}
