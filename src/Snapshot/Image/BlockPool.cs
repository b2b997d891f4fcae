namespace Snapshot.Image;

/// <summary>Memory for the blocks of images on their way, kept from one image to the next.</summary>
/// <remarks>
/// It comes in slabs of 2 MiB, aligned to that, so that each can be a huge page: a direct transfer of small
/// pages has a segment for each, which halves its speed. It only grows: an image needs no more than its
/// pipeline holds at once. Thread-safe.
/// </remarks>
/// <param name="prepare">Gets each slab, its address and length, before it is used. Default nothing.</param>
internal sealed unsafe class BlockPool(Action<nint, int>? prepare = null) : IDisposable
{
    private const int SlabBytes = 2 << 20;

    private readonly Lock _gate = new();
    private readonly Stack<BlockBuffer> _idle = [];
    private readonly List<AlignedBuffer> _slabs = [];
    private int _carved = SlabBytes;

    /// <summary>A block with no pages in it.</summary>
    internal BlockBuffer Take()
    {
        lock (_gate)
        {
            if (!_idle.TryPop(out BlockBuffer? block)) block = new BlockBuffer(this);
            block.Clear();
            return block;
        }
    }

    internal void Return(BlockBuffer block)
    {
        lock (_gate) _idle.Push(block);
    }

    /// <summary>Memory of a block's size; it lives as long as the pool.</summary>
    internal AlignedBuffer Carve()
    {
        lock (_gate)
        {
            if (_carved == SlabBytes)
            {
                AlignedBuffer slab = new(SlabBytes, alignment: SlabBytes);
                _slabs.Add(slab);
                prepare?.Invoke((nint)slab.Pointer, SlabBytes);
                _carved = 0;
            }

            AlignedBuffer block = _slabs[^1].Part(_carved, ImageFormat.BlockBytesMax);
            _carved += ImageFormat.BlockBytesMax;
            return block;
        }
    }

    /// <summary>No block is in use any more.</summary>
    public void Dispose()
    {
        foreach (AlignedBuffer slab in _slabs) slab.Dispose();
        _slabs.Clear();
    }
}
