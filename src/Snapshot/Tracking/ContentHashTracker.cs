using Snapshot.Base;
using Snapshot.Interop;
using Snapshot.Memory;

namespace Snapshot.Tracking;

/// <summary>
/// Finds changed pages by reading them: a hash of each against the hash at the last collect. Works for any readable
/// memory.
/// </summary>
/// <remarks>
/// <para>
/// Why it does not see every write. A collect against writers hashes a page at one moment and the caller copies it at
/// another. Let a page hold A, be hashed as A, change to B, be copied as B, and change back to A: the next collect
/// compares A with A and is silent, while the copy says B (the ABA problem); a hash may even be of a mix that never
/// existed. Only when nobody writes from the collect to the end of the copy do both see one content, and then
/// comparing contents is exact.
/// </para>
/// <para>
/// Pages never populated are skipped where the pagemap can be read (neither present nor swapped out), so that an almost
/// empty region costs almost nothing and reading does not populate it. mincore cannot serve for this: it calls a page
/// that is swapped out absent. Where there is no pagemap, all committed pages are read.
/// </para>
/// </remarks>
internal sealed unsafe class ContentHashTracker : DirtyTracker
{
    private readonly MemoryRegion _region;
    private readonly PageHashes _hashes;
    private readonly PageBitmap _givenBack;
    private readonly PageScan? _scan;

    /// <param name="region">The memory.</param>
    /// <param name="pagemap">For skipping what was never populated; null reads everything.</param>
    internal ContentHashTracker(MemoryRegion region, PagemapDescriptor? pagemap)
    {
        _region = region;
        _hashes = new PageHashes(region.CapacityPages);
        _givenBack = new PageBitmap(region.CapacityPages);

        // Page i of an unaligned buffer spans two pages of memory, and its neighbours' content keeps those populated.
        bool aligned = ((nuint)region.Address & (Pages.Size - 1)) == 0;
        _scan = aligned && pagemap is not null ? new PageScan(pagemap) : null;
    }

    internal override TrackingMechanism Mechanism => TrackingMechanism.ContentHash;

    internal override bool SeesEveryWrite => false;

    internal override void Arm()
    {
        Compare(update: true, changed: null);
        _region.MoveDroppedTo(_givenBack);
        _givenBack.Clear();
    }

    internal override void Collect(PageBitmap changed)
    {
        _region.MoveDroppedTo(changed);
        try
        {
            Compare(update: true, changed);
        }
        catch
        {
            // Some hashes are those of now already, so comparing again would not find their pages.
            _givenBack.Add(new PageRange(0, _region.CommittedPages));
            throw;
        }

        changed.UnionWith(_givenBack);
        _givenBack.Clear();
    }

    internal override long CountChanged()
    {
        // What was dropped can only be counted by taking it; as a page given back it stays in the next collect.
        _region.MoveDroppedTo(_givenBack);
        return Compare(update: false, changed: null) + _givenBack.Count();
    }

    internal override void GiveBack(PageBitmap pages) => _givenBack.UnionWith(pages);

    internal override void HandOver(PageBitmap pages)
    {
        _region.MoveDroppedTo(_givenBack);
        pages.UnionWith(_givenBack);
    }

    public override void Dispose()
    {
        _hashes.Dispose();
        _givenBack.Dispose();
        _scan?.Dispose();
    }

    /// <summary>Compares every committed page with its recorded hash; returns the number that differ.</summary>
    private long Compare(bool update, PageBitmap? changed)
    {
        long bytes = _region.CommittedBytes;
        long pages = Pages.Holding(bytes);
        if (_scan is null) return ComparePopulated(new PageRange(0, pages), bytes, update, changed);

        ulong start = (ulong)_region.Address;
        ulong end = start + (ulong)Pages.Bytes(pages);
        long differing = 0;
        long done = 0;
        for (ulong at = start; at < end;)
        {
            foreach (ref readonly PageRegion hole in _scan.Step(ref at, end, PageFilter.Empty, ScanMode.Look))
            {
                PageRange empty = new(
                    (long)(hole.Start - start) >> Pages.Shift, (long)(hole.End - hole.Start) >> Pages.Shift);
                differing += ComparePopulated(new PageRange(done, empty.Start - done), bytes, update, changed);
                differing += CompareEmpty(empty, update, changed);
                done = empty.End;
            }
        }

        return differing + ComparePopulated(new PageRange(done, pages - done), bytes, update, changed);
    }

    private long ComparePopulated(PageRange pages, long bytes, bool update, PageBitmap? changed)
    {
        long differing = 0;
        for (long page = pages.Start; page < pages.End; page++)
        {
            long offset = Pages.Bytes(page);
            ReadOnlySpan<byte> content = new(_region.Address + offset, (int)Math.Min(Pages.Size, bytes - offset));
            if (_hashes.Matches(page, content, out UInt128 hash)) continue;
            if (update) _hashes.Set(page, hash);
            changed?.Add(new PageRange(page, 1));
            differing++;
        }

        return differing;
    }

    /// <summary>Pages without memory read as zero: they changed only if something else is on record.</summary>
    private long CompareEmpty(PageRange pages, bool update, PageBitmap? changed)
    {
        long differing = 0;
        for (long page = pages.Start; page < pages.End; page++)
        {
            if (!_hashes.IsKnown(page) || _hashes.Matches(page, PageHashes.Zero)) continue;
            if (update) _hashes.Set(page, PageHashes.Zero);
            changed?.Add(new PageRange(page, 1));
            differing++;
        }

        return differing;
    }
}
