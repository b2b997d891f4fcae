using System.Buffers.Binary;
using System.Text;

namespace Snapshot.Image;

/// <summary>Builds a sequence of little-endian fields in growing memory.</summary>
internal sealed class FormatWriter
{
    private byte[] _bytes = new byte[4096];
    private int _sectionStart;

    internal int Length { get; private set; }

    internal ReadOnlySpan<byte> Written => _bytes.AsSpan(0, Length);

    internal void U8(byte value) => Take(1)[0] = value;

    internal void U16(ushort value) => BinaryPrimitives.WriteUInt16LittleEndian(Take(2), value);

    internal void U32(uint value) => BinaryPrimitives.WriteUInt32LittleEndian(Take(4), value);

    internal void U64(ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(Take(8), value);

    internal void Bytes(ReadOnlySpan<byte> value) => value.CopyTo(Take(value.Length));

    /// <summary>At most 65,535 bytes of UTF-8.</summary>
    internal void Text(string value)
    {
        int length = Encoding.UTF8.GetByteCount(value);
        if (length > ushort.MaxValue)
            throw new ArgumentException(
                $"a text of {length} bytes is longer than the 65,535 the format allows");
        U16((ushort)length);
        Encoding.UTF8.GetBytes(value, Take(length));
    }

    internal void PadTo(int alignment) => Take((int)(-(uint)Length & (uint)(alignment - 1))).Clear();

    internal void PatchU32(int offset, uint value) =>
        BinaryPrimitives.WriteUInt32LittleEndian(_bytes.AsSpan(offset), value);

    internal void PatchU64(int offset, ulong value) =>
        BinaryPrimitives.WriteUInt64LittleEndian(_bytes.AsSpan(offset), value);

    internal void BeginSection(uint id, bool required)
    {
        U32(id);
        U32(required ? ImageFormat.SectionRequired : 0);
        U64(0);
        _sectionStart = Length;
    }

    internal void EndSection()
    {
        PatchU64(_sectionStart - 8, (ulong)(Length - _sectionStart));
        PadTo(8);
    }

    private Span<byte> Take(int count)
    {
        if (count > _bytes.Length - Length)
        {
            long needed = Math.Max((long)Length + count, 2L * _bytes.Length);
            if ((long)Length + count > Array.MaxLength)
                throw new InvalidOperationException("the index of an image is limited to 2 GiB");
            Array.Resize(ref _bytes, (int)Math.Min(needed, Array.MaxLength));
        }

        Span<byte> taken = _bytes.AsSpan(Length, count);
        Length += count;
        return taken;
    }
}
