using Snapshot.Base;
using Snapshot.Interop;
using Snapshot.Memory;

namespace Snapshot.Tracking;

/// <summary>
/// Lets the kernel mark each page that is written (soft-dirty, in Linux since 3.11 where it was built with
/// it), and reads the marks from the pagemap. Needs no permission. Exact to 4 KiB; huge pages are kept, and
/// marked as a whole.
/// </summary>
/// <remarks>
/// <para>The bit is set in the page-table entry by the first store after it was cleared, also by a store of
/// the kernel on behalf of a system call. Memory that was mapped anew counts as written; a page that was
/// dropped (MADV_DONTNEED) does not, so drops come from <see cref="MemoryRegion.MoveDroppedTo"/>. Growth out
/// of a reservation marks nothing old. Pages without memory are not asked about: they read as zero.</para>
/// <para>A device that writes to pages pinned beforehand marks nothing: pages that are open for devices
/// (<see cref="DevicePages"/>) are in every collect if they have memory.</para>
/// <para>Who clears the bits, when, and why nothing is lost: <see cref="SoftDirtyBits"/>.</para>
/// </remarks>
internal sealed class SoftDirtyTracker : DirtyTracker, IScanWork
{
    /// <summary>
    /// Pages of a piece that is looked at alone, 128 MiB: pieces share no word of a bitmap.
    /// </summary>
    private const long PiecePages = 1 << 15;

    private readonly MemoryRegion _region;
    private readonly SoftDirtyBits _bits;
    private readonly ScanCrew _crew;
    private readonly PageScan _scan;

    // Read from the kernel, dropped or given back, and not collected yet.
    private readonly PageBitmap _pending;
    private readonly PageBitmap _found;

    // Until the first clear the marks are those of somebody who was here before.
    private bool _isNew = true;

    // What was there until the next clear is the baseline.
    private bool _isArming;
    private bool _isDisposed;

    internal SoftDirtyTracker(
        MemoryRegion region, SoftDirtyBits bits, PagemapDescriptor pagemap, ScanCrew crew)
    {
        _region = region;
        _bits = bits;
        _crew = crew;
        _scan = new PageScan(pagemap);
        _pending = new PageBitmap(region.CapacityPages);
        _found = new PageBitmap(region.CapacityPages);
        bits.Register(this);
    }

    internal override TrackingMechanism Mechanism => TrackingMechanism.SoftDirty;

    internal override bool SeesEveryWrite => false;

    internal override void Arm()
    {
        _isArming = true;
        if (!_bits.AreHeldBack) _bits.Take();
    }

    internal override void Collect(PageBitmap changed)
    {
        if (!_bits.AreTaken) _bits.Take();
        using Lock.Scope held = _region.Devices.Hold();
        _region.MoveDroppedTo(changed);
        _scan.AddOpen(_region, changed);
        changed.UnionWith(_pending);
        _pending.Clear();
    }

    /// <summary>
    /// What was read when nobody wrote. Its marks have been cleared since: a write that follows is marked
    /// again. What was dropped stays for the pause.
    /// </summary>
    internal override void CollectEarly(PageBitmap changed)
    {
        changed.UnionWith(_pending);
        _pending.Clear();
    }

    internal override long CountChanged()
    {
        // What was dropped can only be counted by taking it; as a page given back it stays in the next
        // collect.
        _region.MoveDroppedTo(_pending);
        Look();
        _found.UnionWith(_pending);
        using Lock.Scope held = _region.Devices.Hold();
        _scan.AddOpen(_region, _found);
        return _found.Count();
    }

    internal override void GiveBack(PageBitmap pages) => _pending.UnionWith(pages);

    internal override void HandOver(PageBitmap pages)
    {
        _region.MoveDroppedTo(_pending);
        pages.UnionWith(_pending);
    }

    /// <summary>Reads the marks. They stay set.</summary>
    internal void Read()
    {
        Look();
        _pending.UnionWith(_found);
    }

    /// <summary>The marks that were read last have been cleared.</summary>
    internal void AreCleared()
    {
        _isNew = false;
        if (!_isArming) return;
        _isArming = false;
        _region.MoveDroppedTo(_pending);
        _pending.Clear();
    }

    public override void Dispose()
    {
        if (_isDisposed) return;
        _isDisposed = true;
        _bits.Remove(this);
        _scan.Dispose();
        _pending.Dispose();
        _found.Dispose();
    }

    /// <summary>Finds the marked pages of one piece.</summary>
    void IScanWork.Do(int piece, PageScan scan)
    {
        ulong start = (ulong)Address;
        long first = piece * PiecePages;
        ulong end = start + (ulong)Pages.Bytes(Math.Min(first + PiecePages, _region.CommittedPages));
        PageFilter filter = _isNew ? PageFilter.Populated : PageFilter.SoftDirty;
        for (ulong at = start + (ulong)Pages.Bytes(first); at < end;)
        {
            foreach (ref readonly PageRegion found in scan.Step(ref at, end, filter, ScanMode.Look))
            {
                _found.Add(new PageRange(
                    (long)(found.Start - start) >> Pages.Shift,
                    (long)(found.End - found.Start) >> Pages.Shift));
            }
        }
    }

    private unsafe nint Address => (nint)_region.Address;

    /// <summary>Finds the marked pages, all who may help at once.</summary>
    private void Look()
    {
        long committed = _region.CommittedPages;
        _found.Clear();
        _found.UseUpTo(committed);
        _crew.Run(this, (int)((committed + PiecePages - 1) / PiecePages), _scan);
    }
}
