using Snapshot.Base;
using Snapshot.Memory;

namespace Snapshot.Tracking;

/// <summary>
/// The memory around a protected buffer in whole spans of 2 MiB, of which only some pages are the buffer's.
/// </summary>
internal sealed unsafe class BufferSpans : MemoryRegion
{
    private readonly MemoryRegion _buffer;
    private readonly ulong _start;

    internal BufferSpans(MemoryRegion buffer, BufferPages layout)
    {
        _buffer = buffer;
        _start = layout.Address & ~(Pages.HugeSize - 1UL);
        Own = new PageRange((long)(layout.WholeStart - _start) >> Pages.Shift, layout.WholePages);

        // The edges count, too: the table of spans has those that they are in.
        ulong end = layout.Address + (ulong)layout.Bytes;
        CapacityPages = Pages.Holding((long)(end - _start));
    }

    /// <summary>The pages that the buffer has for itself.</summary>
    internal PageRange Own { get; }

    internal override string RegionName => _buffer.RegionName;

    internal override byte* Address => (byte*)_start;

    internal override long CommittedPages => Own.End;

    internal override long CapacityPages { get; }

    /// <summary>Does nothing: nobody tells what the program drops.</summary>
    internal override void MoveDroppedTo(PageBitmap changed)
    {
    }
}
