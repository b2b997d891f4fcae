using Snapshot.Image;
using Xunit;

namespace Snapshot.Tests.Image;

/// <summary>An image in memory. Checks that the library keeps its promises to direct I/O.</summary>
internal sealed unsafe class MemoryFile : IImageSink, IImageSource
{
    private readonly Lock _gate = new();
    private byte[] _bytes;

    internal MemoryFile(byte[]? bytes = null) => _bytes = bytes ?? [];

    internal byte[] Bytes => _bytes;

    /// <summary>Called before each write with its offset.</summary>
    internal Action<long>? BeforeWrite { get; init; }

    internal bool Disposed { get; private set; }

    public string Name => "memory.snapshot";

    public long Length => _bytes.Length;

    public void Write(IReadOnlyList<ReadOnlyMemory<byte>> segments, long offset)
    {
        BeforeWrite?.Invoke(offset);
        foreach (ReadOnlyMemory<byte> bytes in segments)
        {
            CheckAligned(bytes.Span, offset);
            lock (_gate)
            {
                if (offset + bytes.Length > _bytes.Length)
                    Array.Resize(ref _bytes, (int)offset + bytes.Length);
                bytes.Span.CopyTo(_bytes.AsSpan((int)offset));
            }

            offset += bytes.Length;
        }
    }

    public void Read(long offset, Span<byte> destination)
    {
        CheckAligned(destination, offset);
        _bytes.AsSpan((int)offset, destination.Length).CopyTo(destination);
    }

    public void Dispose() => Disposed = true;

    private static void CheckAligned(ReadOnlySpan<byte> bytes, long offset)
    {
        fixed (byte* pointer = bytes)
        {
            Assert.Equal(0, (long)pointer % 4096);
            Assert.Equal(0, bytes.Length % 4096);
            Assert.Equal(0, offset % 4096);
        }
    }
}
