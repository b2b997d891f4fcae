using Snapshot.Base;
using Snapshot.Image;

namespace Snapshot.Inspection;

/// <summary>
/// The memory of one region as a generation has it, read without a session: nothing is mapped, and the
/// process that reads may be another program on another machine.
/// </summary>
/// <remarks>
/// One thread at a time. It has the images that it needs open: pruning and compacting them meanwhile does not
/// disturb it.
/// </remarks>
public sealed class StoredRegion : IDisposable
{
    private readonly IReadOnlyList<ImageReader> _chain;
    private readonly ChainRegion _region;

    // One for each image, for runs of different images alternate.
    private readonly BlockScratch?[] _scratches;
    private bool _disposed;

    /// <param name="generation">Whose memory it is.</param>
    /// <param name="chain">Its image and all ancestors, newest first; owned from here on.</param>
    /// <param name="region">Where its pages are in them.</param>
    internal StoredRegion(long generation, IReadOnlyList<ImageReader> chain, ChainRegion region)
    {
        Generation = generation;
        _chain = chain;
        _region = region;
        _scratches = new BlockScratch?[chain.Count];
    }

    /// <summary>Whose memory it is.</summary>
    public long Generation { get; }

    /// <summary>Its name, kind, address and size.</summary>
    public RegionDescription Description => _region.Description;

    /// <summary>Its size in bytes.</summary>
    public long Length => Description.ByteLength;

    /// <summary>
    /// Reads bytes as they were captured. Excluded memory, and what was never written, is zero.
    /// </summary>
    /// <param name="offset">Of the first byte, from the beginning of the region.</param>
    /// <param name="destination">Is filled; its content has no meaning after an exception.</param>
    /// <exception cref="ArgumentOutOfRangeException">The region has no such bytes.</exception>
    /// <exception cref="SnapshotException">Corrupt, StoreIo; it names the file and the place.</exception>
    /// <exception cref="ObjectDisposedException">It was disposed of.</exception>
    public void Read(long offset, Span<byte> destination)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, Length - destination.Length);
        if (destination.IsEmpty) return;

        destination.Clear();
        long first = offset >> Pages.Shift;
        PageRange pages = new(first, Pages.Holding(offset + destination.Length) - first);
        foreach (ChainRun run in _region.Within(pages))
        {
            if (run.Kind == ExtentKind.Present) CopyRun(run, offset, destination);
        }
    }

    /// <summary>Closes the images.</summary>
    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        foreach (BlockScratch? scratch in _scratches) scratch?.Dispose();
        foreach (ImageReader image in _chain) image.Dispose();
    }

    /// <summary>Copies what a run of present pages has of the bytes from the offset on.</summary>
    private void CopyRun(in ChainRun run, long offset, Span<byte> destination)
    {
        ImageReader image = _chain[run.Image];
        BlockScratch scratch = _scratches[run.Image] ??= new BlockScratch();
        long ordinal = run.FirstOrdinal;
        long ordinalEnd = ordinal + run.PageCount;
        for (int index = image.BlockOf(ordinal); ordinal < ordinalEnd; index++)
        {
            ImageBlock block = image.Blocks[index];
            long count = Math.Min(block.FirstOrdinal + block.PageCount, ordinalEnd) - ordinal;

            // Where the pages of this block that belong to the run lie in the region.
            long at = Pages.Bytes(run.FirstPage + (ordinal - run.FirstOrdinal));
            long from = Math.Max(at, offset);
            long to = Math.Min(at + Pages.Bytes(count), offset + destination.Length);
            int inBlock = (int)(Pages.Bytes(ordinal - block.FirstOrdinal) + from - at);
            image.ReadBlock(index, scratch).Slice(inBlock, (int)(to - from))
                .CopyTo(destination[(int)(from - offset)..]);
            ordinal += count;
        }
    }
}
