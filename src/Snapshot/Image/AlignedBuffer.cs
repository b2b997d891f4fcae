using System.Buffers;
using System.Runtime.InteropServices;

namespace Snapshot.Image;

/// <summary>Native memory aligned to a page at least, as direct I/O needs it. Not cleared.</summary>
internal sealed unsafe class AlignedBuffer : IDisposable
{
    private readonly View _view;

    // Whose memory it is a part of, or null: its own.
    private readonly AlignedBuffer? _whole;

    internal AlignedBuffer(int length, int alignment = ImageFormat.PageSize)
    {
        Pointer = (byte*)NativeMemory.AlignedAlloc((nuint)length, (nuint)alignment);
        Length = length;
        _view = new View(this);
    }

    private AlignedBuffer(AlignedBuffer whole, int offset, int length)
    {
        _whole = whole;
        Pointer = whole.Pointer + offset;
        Length = length;
        _view = new View(this);
        GC.SuppressFinalize(this);
    }

    internal byte* Pointer { get; private set; }

    internal int Length { get; }

    internal Span<byte> Span => new(Pointer, Length);

    /// <summary>The same for gathering writes; keeps the buffer alive.</summary>
    internal Memory<byte> Memory => _view.Memory;

    /// <summary>A part of it, which keeps it alive; it is freed as a whole.</summary>
    internal AlignedBuffer Part(int offset, int length)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset + length, Length);
        return new AlignedBuffer(this, offset, length);
    }

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    ~AlignedBuffer() => Free();

    private void Free()
    {
        if (_whole is null) NativeMemory.AlignedFree(Pointer);
        Pointer = null;
    }

    private sealed class View(AlignedBuffer buffer) : MemoryManager<byte>
    {
        public override Span<byte> GetSpan() => buffer.Span;

        public override MemoryHandle Pin(int elementIndex = 0) =>
            new(buffer.Pointer + elementIndex, default, this);

        public override void Unpin()
        {
        }

        protected override void Dispose(bool disposing)
        {
        }
    }
}
