using Snapshot.Image;

namespace Snapshot.Fuzz.Targets;

/// <summary>An image that is written to memory.</summary>
internal sealed class MemorySink : IImageSink
{
    private readonly Lock _gate = new();
    private byte[] _bytes = [];

    public string Name => "written.snapshot";

    internal byte[] Bytes => _bytes;

    public void Write(IReadOnlyList<ReadOnlyMemory<byte>> segments, long offset)
    {
        lock (_gate)
        {
            foreach (ReadOnlyMemory<byte> segment in segments)
            {
                int end = (int)offset + segment.Length;
                if (end > _bytes.Length) Array.Resize(ref _bytes, end);
                segment.CopyTo(_bytes.AsMemory((int)offset));
                offset = end;
            }
        }
    }
}
