using System.Runtime.InteropServices;

namespace Snapshot.Image;

/// <summary>Native memory aligned to a page, as direct I/O needs it. Not cleared.</summary>
internal sealed unsafe class AlignedBuffer : IDisposable
{
    internal AlignedBuffer(int length)
    {
        Pointer = (byte*)NativeMemory.AlignedAlloc((nuint)length, ImageFormat.PageSize);
        Length = length;
    }

    internal byte* Pointer { get; private set; }

    internal int Length { get; }

    internal Span<byte> Span => new(Pointer, Length);

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
}
