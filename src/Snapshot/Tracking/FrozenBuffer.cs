using System.Runtime.InteropServices;
using Snapshot.Base;
using Snapshot.Interop;
using Snapshot.Memory;

namespace Snapshot.Tracking;

/// <summary>
/// The memory of a protected buffer, frozen where it lies: its whole pages by a
/// <see cref="FreezingTracker"/>, and its edges, which are on pages that others write, too, by a copy.
/// </summary>
/// <remarks>
/// <para>The program may free the memory at any time. Where it asks before, by <see cref="Leave"/>, what is
/// still frozen is copied first. Where it does not, what was frozen is lost, which is found out before
/// anything of it is delivered (foreign.c), and the reader is told.</para>
/// <para>Pages of the region count from the first byte of the buffer. Where that is inside of a page of
/// memory, a page of the region is on two pages of memory, and these are read twice. The first of the two
/// reads keeps the page, if the other one is to come.</para>
/// </remarks>
internal sealed unsafe class FrozenBuffer : IFreezing, IDisposable
{
    private readonly MemoryRegion _region;
    private readonly BufferPages _layout;
    private readonly BufferSpans _memory;
    private readonly FreezingTracker _pages;
    private readonly PageBitmap _found;
    private readonly PageBitmap _readOnce;
    private byte* _edges;
    private PageBitmap? _wanted;
    private bool _isLeft;

    private FrozenBuffer(MemoryRegion region, BufferPages layout, BufferSpans memory, FreezingTracker pages)
    {
        _region = region;
        _layout = layout;
        _memory = memory;
        _pages = pages;
        _found = new PageBitmap(memory.CapacityPages);
        _readOnce = new PageBitmap(memory.CapacityPages);
        _edges = (byte*)NativeMemory.AllocZeroed(2, Pages.Size);
    }

    /// <summary>
    /// Begins to serve writes to it; null where somebody has a part, or the kernel refuses.
    /// </summary>
    internal static FrozenBuffer? TryBegin(
        MemoryRegion region, BufferPages layout, Freezer freezer, PagemapDescriptor pagemap)
    {
        if (!WatchedPlaces.TryTake(layout.WholeStart, layout.WholeEnd)) return null;
        BufferSpans memory = new(region, layout);
        try
        {
            return new FrozenBuffer(
                region, layout, memory, new FreezingTracker(memory, freezer, pagemap, memory.Own));
        }
        catch (SnapshotException)
        {
            WatchedPlaces.Release(layout.WholeStart);
            return null;
        }
    }

    /// <summary>Whether content that was wanted was lost: the program drops or frees the memory.</summary>
    internal bool HasLost { get; private set; }

    public PageRange Collected => new(0, _region.CommittedPages);

    public long FirstInSpan => _memory.Own.Start - (_layout.LeadBytes > 0 ? 1 : 0);

    /// <summary>Adds what changed, but for the edges. Nothing of the memory is read.</summary>
    /// <param name="changed">What it is added to.</param>
    /// <param name="isEarly">Whether it is the part that is done beside writers.</param>
    /// <returns>False: the kernel refused, and nothing is known of what was written.</returns>
    internal bool TryCollect(PageBitmap changed, bool isEarly)
    {
        _found.Clear();
        try
        {
            if (isEarly) _pages.CollectEarly(_found);
            else _pages.Collect(_found);
        }
        catch (SnapshotException error) when (error.Code == SnapshotErrorCode.SystemCall)
        {
            return false;
        }

        _found.Remove(new PageRange(0, _memory.Own.Start));
        _layout.Spread(_found, changed, _memory.Own.Start);
        return true;
    }

    /// <summary>What is there now is the baseline. Nobody writes.</summary>
    internal bool TryArm()
    {
        try
        {
            _pages.Arm();
            return true;
        }
        catch (SnapshotException error) when (error.Code == SnapshotErrorCode.SystemCall)
        {
            return false;
        }
    }

    internal long CountChanged() => Math.Min(_pages.CountChanged(), _region.CommittedPages);

    public void Freeze(PageBitmap wanted)
    {
        new ReadOnlySpan<byte>(_region.Address, (int)_layout.LeadBytes).CopyTo(Lead);
        new ReadOnlySpan<byte>(_region.Address + _layout.TailOffset, TailBytes).CopyTo(Tail);
        _wanted = wanted;
        _readOnce.Clear();
        _found.Clear();
        for (long at = 0; wanted.NextRun(at, out PageRange run); at = run.End)
        {
            (long from, long end) = OnWholePages(run);
            if (from >= end) continue;
            PageRange pages = BufferPages.Holding(from, end - from);
            _found.Add(new PageRange(pages.Start + _memory.Own.Start, pages.Count));
        }

        _pages.Freeze(_found);
    }

    public void Read(PageRange pages, Span<byte> target)
    {
        long offset = Pages.Bytes(pages.Start), end = Math.Min(Pages.Bytes(pages.End), _layout.Bytes);
        target[(int)(end - offset)..(int)Pages.Bytes(pages.Count)].Clear();
        if (offset < _layout.LeadBytes) Lead[(int)offset..].CopyTo(target);
        (long from, long stop) = OnWholePages(pages);
        if (from < stop) ReadWhole(pages, from, stop, target[(int)(from + _layout.LeadBytes - offset)..]);
        if (end > _layout.TailOffset)
        {
            long first = Math.Max(offset, _layout.TailOffset);
            Tail[(int)(first - _layout.TailOffset)..(int)(end - _layout.TailOffset)]
                .CopyTo(target[(int)(first - offset)..]);
        }
    }

    public IEnumerable<long> InDrainOrder(List<long> spans) => _pages.InDrainOrder(spans);

    public void Thaw() => _pages.Thaw();

    /// <summary>
    /// The memory is the program's alone again: what is still wanted of it was copied when this returns.
    /// </summary>
    internal void Leave()
    {
        if (_isLeft) return;
        _isLeft = true;
        _pages.Leave();
        WatchedPlaces.Release(_layout.WholeStart);
    }

    public void Dispose()
    {
        Leave();
        _pages.Dispose();
        _found.Dispose();
        _readOnce.Dispose();
        NativeMemory.Free(_edges);
        _edges = null;
    }

    private int TailBytes => (int)(_layout.Bytes - _layout.TailOffset);

    private Span<byte> Lead => new(_edges, (int)_layout.LeadBytes);

    private Span<byte> Tail => new(_edges + Pages.Size, TailBytes);

    /// <summary>
    /// What pages of the region have on whole pages of memory, counted from the first of these.
    /// </summary>
    private (long From, long End) OnWholePages(PageRange pages) => (
        Math.Max(Pages.Bytes(pages.Start) - _layout.LeadBytes, 0),
        Math.Min(Pages.Bytes(pages.End), _layout.TailOffset) - _layout.LeadBytes);

    /// <summary>A span a time: the pages are of one, but for the last bytes.</summary>
    private void ReadWhole(PageRange pages, long from, long end, Span<byte> target)
    {
        long origin = Pages.Bytes(_memory.Own.Start);
        for (long at = from, next; at < end; at = next)
        {
            next = Math.Min(((((origin + at) / Pages.HugeSize) + 1) * Pages.HugeSize) - origin, end);
            uint keep = (at == from && IsKept(at, pages.Start - 1) ? Native.KeepFirst : 0) |
                (next == end && IsKept(next, pages.End) ? Native.KeepLast : 0);
            if (_pages.TryRead(origin + at, target.Slice((int)(at - from), (int)(next - at)), keep)) continue;
            HasLost = true;
            throw BufferTracker.Gone(
                _region, _pages.Lost,
                "what the checkpoint still had to read is lost: the program has freed, dropped or replaced " +
                "it meanwhile");
        }
    }

    /// <summary>
    /// Whether a page of memory that is read in part, up to or from an offset, is to be read by another page
    /// of the region, too.
    /// </summary>
    private bool IsKept(long offset, long other)
    {
        if ((offset & (Pages.Size - 1)) == 0 || !_wanted!.Contains(other)) return false;
        PageRange page = new(_memory.Own.Start + (offset >> Pages.Shift), 1);
        if (_readOnce.Contains(page.Start)) return false;
        _readOnce.Add(page);
        return true;
    }
}
