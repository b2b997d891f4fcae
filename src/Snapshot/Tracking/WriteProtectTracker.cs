using Snapshot.Base;
using Snapshot.Interop;
using Snapshot.Memory;

namespace Snapshot.Tracking;

/// <summary>
/// Lets the kernel note the first write to each page: userfaultfd in asynchronous write-protect mode, read
/// and re-armed by PAGEMAP_SCAN. Exact to 4 KiB.
/// </summary>
/// <remarks>
/// <para>
/// The bit. Each page-table entry of a registered range has a write-protect bit. A page counts as written
/// when the bit is clear. A store to a page whose bit is set faults; the kernel clears the bit, makes the
/// page writable and lets the store retry, without telling anybody. Stores by the kernel on behalf of a
/// system call (read(2), a pipe) take the same fault.
/// </para>
/// <para>
/// No write is lost between report and protection. A scan with <c>protect</c> reports a page and sets its bit
/// under one hold of the page-table lock, and flushes stale TLB entries of all processors before it lets go
/// of that lock. So each store falls on one side: either it reached memory before the flush ended, hence
/// before the scan returned, and a copy made after the scan contains it; or it comes after, faults, clears
/// the bit, and the next scan reports the page. A fault that cleared the bit just before a scan sets it again
/// has not stored yet: its store retries and faults once more.
/// </para>
/// <para>
/// Dropped pages. Discarding a page (MADV_DONTNEED) discards its entry with the bit, and a page without an
/// entry is not reported (see below); so drops come from <see cref="MemoryRegion.MoveDroppedTo"/>. It is
/// asked before the scan, although both orders are right: the region reports a drop after the content is
/// gone, so a page that it reports now reads as zero, or as what was written since, in any copy made after
/// the collect; a page whose report comes later than the question is in the next collect. A store after a
/// drop populates the page anew with the bit clear, and is seen by whichever scan comes next.
/// </para>
/// <para>
/// Pages never populated have no entry. Nothing is protected at creation, so what is there counts as written,
/// and a first store, now or at any later time, leaves an entry with the bit clear. The kernel's plain
/// question for written pages includes pages without an entry, and protecting those would give each a marker
/// and each 2 MiB a page table, after which they never become huge pages. So they are excluded by asking for
/// populated pages only. That question has no fast path; it is asked only of spans of 2 MiB not known to be
/// fully populated. Where it is not asked although a page is empty after all (it was dropped a moment ago),
/// the page is reported without need, as zeros, and the marker (feature WP_UNPOPULATED) carries the bit on to
/// the entry that the next store makes. A page of which only zeros were read maps the shared zero page with
/// the bit clear: it is reported once, without having changed, and a store to it later faults like any other.
/// </para>
/// <para>
/// Huge pages. A scan that covers a huge page reports and protects it whole and keeps it whole; the first
/// store into it afterwards splits it, after which only its 4 KiB pages that are written are reported.
/// </para>
/// <para>
/// Growth. The whole reservation is registered once, while most of it is still without access; making a part
/// accessible later (mprotect) keeps the registration. The committed size is read once per scan, before it.
/// </para>
/// <para>
/// Devices. Who writes to pages pinned beforehand (a network card, io_uring, direct I/O, a peer's
/// process_vm_writev) takes no fault. Such pages are open (<see cref="DevicePages"/>): a collect reports
/// those that have memory, whatever their bit says, and leaves the bit alone. One that was set before is no
/// obstacle: the kernel clears it for whoever pins the page, as for a store.
/// </para>
/// </remarks>
internal sealed unsafe class WriteProtectTracker : DirtyTracker, IScanWork
{
    private const long SpanPages = Pages.HugeSize / Pages.Size;

    /// <summary>
    /// Pages of a piece that is looked at alone: a word of <see cref="_fullSpans"/>, 128 MiB.
    /// </summary>
    private const long PiecePages = 64 * SpanPages;

    /// <summary>
    /// Up to so many written pages it pays to look for them first, and then to protect only there.
    /// </summary>
    private const long FewPages = 512;

    private readonly MemoryRegion _region;
    private readonly UserfaultDescriptor _userfault;
    private readonly ScanCrew _crew;
    private readonly PageScan _scan;
    private readonly PageBitmap _givenBack;
    private readonly PageBitmap _dropped;
    private readonly PageBitmap _found;
    private long _foundCount;
    private ScanMode _lookMode;
    private bool _disposed;

    /// <summary>
    /// Written pages, as last counted; whatever is collected may have been written again since.
    /// </summary>
    private long _expected = long.MaxValue;

    /// <summary>Spans of 512 pages that were seen populated throughout and not dropped since.</summary>
    private readonly PageBitmap _fullSpans;

    /// <exception cref="SnapshotException">The range cannot be registered.</exception>
    internal WriteProtectTracker(
        MemoryRegion region, UserfaultDescriptor userfault, PagemapDescriptor pagemap, ScanCrew crew)
    {
        _region = region;
        _userfault = userfault;
        _crew = crew;
        NativeError.ThrowIfFailed(
            Native.sn_uffd_register_wp(userfault.Number, Start, CapacityBytes),
            "UFFDIO_REGISTER",
            $"The memory of '{region.RegionName}' must be private anonymous memory that no other " +
            "userfaultfd tracks; content-hash tracking works for any memory.");
        _scan = new PageScan(pagemap);
        bool referenced = false;
        userfault.DangerousAddRef(ref referenced);
        _givenBack = new PageBitmap(region.CapacityPages);
        _dropped = new PageBitmap(region.CapacityPages);
        _found = new PageBitmap(region.CapacityPages);
        _fullSpans = new PageBitmap((region.CapacityPages + SpanPages - 1) / SpanPages);
    }

    internal override TrackingMechanism Mechanism => TrackingMechanism.WriteProtect;

    internal override bool SeesEveryWrite => true;

    private ulong Start => (ulong)_region.Address;

    private ulong CapacityBytes => (ulong)Pages.Bytes(_region.CapacityPages);

    internal override void Arm()
    {
        TakeDropped(_givenBack);
        ScanCommitted(into: null);
        _givenBack.Clear();
    }

    internal override void Collect(PageBitmap changed)
    {
        using Lock.Scope held = _region.Devices.Hold();
        TakeDropped(changed);
        _scan.AddOpen(_region, changed);
        try
        {
            if (_expected <= FewPages) ScanWhereWritten(changed);
            else ScanCommitted(changed);
        }
        catch
        {
            // Pages may have been protected again without being reported. Only "everything" covers them.
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
        TakeDropped(_givenBack);
        long count = Look(ScanMode.Look) + _givenBack.Count();
        using Lock.Scope held = _region.Devices.Hold();
        if (_region.Devices.Open is null) return count;
        count -= _found.Count();
        _scan.AddOpen(_region, _found);
        return count + _found.Count();
    }

    internal override void GiveBack(PageBitmap pages) => _givenBack.UnionWith(pages);

    internal override void HandOver(PageBitmap pages)
    {
        _userfault.Unregister(Start, CapacityBytes);
        TakeDropped(_givenBack);
        pages.UnionWith(_givenBack);
    }

    public override void Dispose()
    {
        if (_disposed) return;
        _disposed = true;

        // Where the kernel does not end the registration, unmapping the memory or closing the descriptor
        // will.
        _ = Native.sn_uffd_unregister(_userfault.Number, Start, CapacityBytes);
        _userfault.DangerousRelease();
        _scan.Dispose();
        _givenBack.Dispose();
        _dropped.Dispose();
        _found.Dispose();
        _fullSpans.Dispose();
    }

    /// <summary>
    /// Moves what was dropped to <paramref name="into"/>; spans with a drop are no longer fully populated.
    /// </summary>
    private void TakeDropped(PageBitmap into)
    {
        _region.MoveDroppedTo(_dropped);
        for (long at = 0; _dropped.NextRun(at, out PageRange run); at = run.End)
        {
            long first = run.Start / SpanPages;
            _fullSpans.Remove(new PageRange(first, ((run.End - 1) / SpanPages) + 1 - first));
        }

        into.UnionWith(_dropped);
        _dropped.Clear();
    }

    /// <summary>Finds the written pages of one piece of the committed part; protects nothing.</summary>
    void IScanWork.Do(int piece, PageScan scan)
    {
        PageRange range = new(piece * PiecePages, PiecePages);
        range = new PageRange(range.Start, Math.Min(range.End, _region.CommittedPages) - range.Start);
        Interlocked.Add(ref _foundCount, Scan(scan, range, _lookMode, _found));
    }

    /// <summary>Finds the written pages, all who may help at once; returns how many there are.</summary>
    /// <remarks>
    /// Pieces share no word of a bitmap, and the sets are told beforehand how far they will reach, so that
    /// nothing else of them changes.
    /// </remarks>
    private long Look(ScanMode mode)
    {
        _lookMode = mode;
        long committed = _region.CommittedPages;
        _found.Clear();
        _found.UseUpTo(committed);
        _fullSpans.UseUpTo(committed / SpanPages);
        _foundCount = 0;
        _crew.Run(this, (int)((committed + PiecePages - 1) / PiecePages), _scan);
        _expected = _foundCount;
        return _foundCount;
    }

    /// <summary>
    /// Looks for what was written, and then reports and protects only spans of 2 MiB in which there is
    /// something. What is written after the look is the next collect's.
    /// </summary>
    private void ScanWhereWritten(PageBitmap into)
    {
        Look(ScanMode.LookAtTracked);
        long committed = _region.CommittedPages;
        for (long at = 0; _found.NextRun(at, out PageRange run);)
        {
            long first = run.Start / SpanPages * SpanPages;
            at = Math.Min((((run.End - 1) / SpanPages) + 1) * SpanPages, committed);
            Protect(new PageRange(first, at - first), into);
        }
    }

    /// <summary>Reports and protects what was written of the committed part.</summary>
    private void ScanCommitted(PageBitmap? into) => Protect(new PageRange(0, _region.CommittedPages), into);

    /// <summary>Reports and protects what was written of a range, but for what is open for devices.</summary>
    private void Protect(PageRange range, PageBitmap? into)
    {
        long at = range.Start;
        if (_region.Devices.Open is { } open)
        {
            for (; open.NextRun(at, out PageRange run) && run.Start < range.End;
                at = Math.Min(run.End, range.End))
                Scan(_scan, new PageRange(at, run.Start - at), ScanMode.Protect, into);
        }

        Scan(_scan, new PageRange(at, range.End - at), ScanMode.Protect, into);
    }

    /// <summary>
    /// Walks a range, each stretch of spans with the question it needs; returns the pages found.
    /// </summary>
    private long Scan(PageScan scan, PageRange range, ScanMode mode, PageBitmap? into)
    {
        long count = 0;
        for (long at = range.Start; at < range.End;)
        {
            bool any = _fullSpans.NextRun(at / SpanPages, out PageRange full);
            bool isFull = any && full.Start * SpanPages <= at;
            long end = !any ? range.End : Math.Min(range.End, (isFull ? full.End : full.Start) * SpanPages);
            PageFilter filter = isFull ? PageFilter.Written : PageFilter.WrittenAndPopulated;
            count += Scan(scan, new PageRange(at, end - at), filter, mode, into);
            at = end;
        }

        return count;
    }

    private long Scan(PageScan scan, PageRange range, PageFilter filter, ScanMode mode, PageBitmap? into)
    {
        ulong origin = Start;
        ulong end = origin + (ulong)Pages.Bytes(range.End);
        long count = 0;
        for (ulong at = origin + (ulong)Pages.Bytes(range.Start); at < end;)
        {
            foreach (ref readonly PageRegion found in scan.Step(ref at, end, filter, mode))
            {
                long first = (long)(found.Start - origin) >> Pages.Shift;
                PageRange run = new(first, ((long)(found.End - origin) >> Pages.Shift) - first);
                count += run.Count;
                into?.Add(run);
                if (run.Count >= SpanPages) NoteFullSpans(run);
            }
        }

        return count;
    }

    private void NoteFullSpans(PageRange populated)
    {
        long first = (populated.Start + SpanPages - 1) / SpanPages;
        long end = populated.End / SpanPages;
        if (end > first) _fullSpans.Add(new PageRange(first, end - first));
    }
}
