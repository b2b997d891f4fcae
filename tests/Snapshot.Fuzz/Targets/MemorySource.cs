using Snapshot.Image;

namespace Snapshot.Fuzz.Targets;

/// <summary>An image in memory.</summary>
internal sealed class MemorySource(byte[] file) : IImageSource
{
    public string Name => "fuzzed.snapshot";

    public long Length => file.Length;

    public void Read(long offset, Span<byte> destination) =>
        file.AsSpan(checked((int)offset), destination.Length).CopyTo(destination);

    public void Dispose()
    {
    }
}
