using System.Buffers;
using System.Runtime.InteropServices;

namespace Snapshot.Image;

/// <summary>Native memory aligned to a page, as direct I/O needs it. Not cleared.</summary>
internal sealed unsafe class AlignedBuffer : IDisposable
{
    private readonly View _view;

    internal AlignedBuffer(int length)
    {
        Pointer = (byte*)NativeMemory.AlignedAlloc((nuint)length, ImageFormat.PageSize);
        Length = length;
        _view = new View(this);
    }

    internal byte* Pointer { get; private set; }

    internal int Length { get; }

    internal Span<byte> Span => new(Pointer, Length);

    /// <summary>The same for gathering writes; keeps the buffer alive.</summary>
    internal Memory<byte> Memory => _view.Memory;

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    ~AlignedBuffer() => Free();

    private void Free()
    {
        NativeMemory.AlignedFree(Pointer);
        Pointer = null;
    }

    private sealed class View(AlignedBuffer buffer) : MemoryManager<byte>
    {
        public override Span<byte> GetSpan() => buffer.Span;

        public override MemoryHandle Pin(int elementIndex = 0) => new(buffer.Pointer + elementIndex, default, this);

        public override void Unpin()
        {
        }

        protected override void Dispose(bool disposing)
        {
        }
    }
}
