using Snapshot.Base;
using Snapshot.Interop;
using Snapshot.Memory;

namespace Snapshot.Tracking;

/// <summary>
/// Finds changed pages by reading them: a hash of each against the hash at the last collect. Works for any
/// readable memory.
/// </summary>
/// <remarks>
/// <para>
/// Why it does not see every write. A collect against writers hashes a page at one moment and the caller
/// copies it at another. Let a page hold A, be hashed as A, change to B, be copied as B, and change back to
/// A: the next collect compares A with A and is silent, while the copy says B (the ABA problem); a hash may
/// even be of a mix that never existed. Only when nobody writes from the collect to the end of the copy do
/// both see one content, and then comparing contents is exact.
/// </para>
/// <para>
/// Pages never populated are skipped where the pagemap can be read (neither present nor swapped out), so that
/// an almost empty region costs almost nothing and reading does not populate it. mincore cannot serve for
/// this: it calls a page that is swapped out absent. Where there is no pagemap, all committed pages are read.
/// Excluded pages never are: no image has them, and a guard among them would end the process.
/// </para>
/// <para>
/// All who may help hash at once, a piece each. Pieces share no word of a bitmap, and the set of changed
/// pages is told beforehand how far it will reach, so that nothing else of it changes.
/// </para>
/// </remarks>
internal sealed unsafe class ContentHashTracker : DirtyTracker, IScanWork
{
    /// <summary>Pages of a piece that is hashed by one thread: 16 MiB, some milliseconds.</summary>
    private const long PiecePages = 4096;

    private readonly MemoryRegion _region;
    private readonly PageHashes _hashes;
    private readonly PageBitmap _givenBack;
    private readonly PageBitmap _excluded;
    private readonly ScanCrew? _crew;
    private readonly PageScan? _scan;

    // What is compared, and what came out; of the running comparison.
    private PageBitmap? _changed;
    private bool _updates;
    private long _differing;
    private long _lastChanged;

    /// <param name="region">The memory.</param>
    /// <param name="pagemap">
    /// For skipping what was never populated; null reads everything, by one thread.
    /// </param>
    /// <param name="crew">Who helps; null with <paramref name="pagemap"/>.</param>
    internal ContentHashTracker(MemoryRegion region, PagemapDescriptor? pagemap, ScanCrew? crew)
    {
        _region = region;
        _hashes = new PageHashes(region.CapacityPages);
        _givenBack = new PageBitmap(region.CapacityPages);
        _excluded = new PageBitmap(region.CapacityPages);
        _crew = crew;
        _scan = pagemap is null ? null : new PageScan(pagemap);

        _lastChanged = region.CommittedPages;

        SkipsEmpty = true;
    }

    /// <summary>
    /// Whether pages without memory are taken for zero without being read. Not where they show a file, or
    /// what others wrote; and not where a page of the region spans two pages of memory.
    /// </summary>
    internal bool SkipsEmpty { get; set; }

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
            _lastChanged = Compare(update: true, changed);
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
        // What was dropped can only be counted by taking it; as a page given back it stays in the next
        // collect.
        _region.MoveDroppedTo(_givenBack);

        // Without the pagemap a page that is made a guard meanwhile would be read. What changed last is the
        // estimate.
        long changed = _scan is null ? _lastChanged : Compare(update: false, changed: null);
        return changed + _givenBack.Count();
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
        _excluded.Dispose();
        _scan?.Dispose();
    }

    /// <summary>Compares one piece.</summary>
    void IScanWork.Do(int piece, PageScan scan)
    {
        long first = piece * PiecePages;
        long end = Math.Min(first + PiecePages, Pages.Holding(_region.CommittedBytes));
        Interlocked.Add(ref _differing, Compare(new PageRange(first, end - first), scan));
    }

    /// <summary>
    /// Compares every committed page with its recorded hash; returns the number that differ.
    /// </summary>
    private long Compare(bool update, PageBitmap? changed)
    {
        long pages = Pages.Holding(_region.CommittedBytes);
        _excluded.Clear();
        _region.MarkExcluded(_excluded);
        _updates = update;
        _changed = changed;
        changed?.UseUpTo(pages);
        _differing = 0;
        try
        {
            if (_crew is null) return Compare(new PageRange(0, pages), _scan);
            _crew.Run(this, (int)((pages + PiecePages - 1) / PiecePages), _scan!);
            return _differing;
        }
        finally
        {
            _changed = null;
        }
    }

    /// <summary>Compares pages, those that are excluded left out.</summary>
    private long Compare(PageRange pages, PageScan? scan)
    {
        long differing = 0;
        long at = pages.Start;
        for (; _excluded.NextRun(at, out PageRange run) && run.Start < pages.End;
            at = Math.Min(run.End, pages.End))
            differing += CompareWanted(new PageRange(at, Math.Max(0, run.Start - at)), scan);
        return differing + CompareWanted(new PageRange(at, pages.End - at), scan);
    }

    private long CompareWanted(PageRange pages, PageScan? scan)
    {
        if (scan is null || !SkipsEmpty) return ComparePopulated(pages);
        ulong start = (ulong)_region.Address;
        ulong end = start + (ulong)Pages.Bytes(pages.End);
        long differing = 0;
        long done = pages.Start;
        for (ulong at = start + (ulong)Pages.Bytes(pages.Start); at < end;)
        {
            foreach (ref readonly PageRegion hole in scan.Step(ref at, end, PageFilter.Empty, ScanMode.Look))
            {
                PageRange empty = new(
                    (long)(hole.Start - start) >> Pages.Shift, (long)(hole.End - hole.Start) >> Pages.Shift);
                differing += ComparePopulated(new PageRange(done, empty.Start - done)) + CompareEmpty(empty);
                done = empty.End;
            }
        }

        return differing + ComparePopulated(new PageRange(done, pages.End - done));
    }

    private long ComparePopulated(PageRange pages)
    {
        long bytes = _region.CommittedBytes;
        long differing = 0;
        for (long page = pages.Start; page < pages.End; page++)
        {
            long offset = Pages.Bytes(page);
            ReadOnlySpan<byte> content = new(
                _region.Address + offset, (int)Math.Min(Pages.Size, bytes - offset));
            if (!_hashes.Matches(page, content, out PageHash hash)) differing += Differs(page, hash);
        }

        return differing;
    }

    /// <summary>
    /// Pages without memory read as zero: they changed only if something else is on record.
    /// </summary>
    private long CompareEmpty(PageRange pages)
    {
        long differing = 0;
        for (long page = pages.Start; page < pages.End; page++)
        {
            if (_hashes.IsKnown(page) && !_hashes.Matches(page, PageHash.Zeros))
                differing += Differs(page, PageHash.Zeros);
        }

        return differing;
    }

    private int Differs(long page, PageHash hash)
    {
        if (_updates) _hashes.Set(page, hash);
        _changed?.Add(new PageRange(page, 1));
        return 1;
    }
}
