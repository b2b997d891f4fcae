namespace Snapshot.Image;

/// <summary>
/// Buffers that lie in the file one after the other and are written by one gathering write.
/// </summary>
internal sealed class WriteBatch(int capacity)
{
    private readonly List<BlockBuffer> _blocks = new(capacity);
    private readonly List<ReadOnlyMemory<byte>> _segments = new(capacity);

    internal long Offset { get; private set; }

    internal int Length { get; private set; }

    internal bool IsFull => _blocks.Count == capacity;

    internal IReadOnlyList<ReadOnlyMemory<byte>> Segments => _segments;

    internal void Begin(long offset)
    {
        Offset = offset;
        Length = 0;
    }

    internal void Add(BlockBuffer block, ReadOnlyMemory<byte> bytes)
    {
        _blocks.Add(block);
        _segments.Add(bytes);
        Length += bytes.Length;
    }

    /// <summary>Gives the buffers away; none is left.</summary>
    internal void Release(Action<BlockBuffer> release)
    {
        foreach (BlockBuffer block in _blocks) release(block);
        _blocks.Clear();
        _segments.Clear();
    }
}
