using Snapshot.Base;
using Snapshot.Interop;

namespace Snapshot.Tracking;

/// <summary>
/// Pages of private anonymous memory that belongs to the program, which may free them, map them anew or drop
/// their content at any time. The kernel notes the first write to each, as for
/// <see cref="WriteProtectTracker"/>, which says why none is lost.
/// </summary>
/// <remarks>
/// <para>What differs. The registration may be gone, of a part or of all: every question is one that the
/// kernel refuses then (EPERM), and the answer is that all was written. Bits of a registration before this
/// one may have stayed, so the first collect does not ask for them but takes all that has memory.</para>
/// <para>Pages without memory read as zero. The kernel does not tell when a page became one (MADV_DONTNEED),
/// so they are looked for in each collect, and those that had memory at the last one have changed. One that
/// was without memory at both is as it was, whatever came between. They are never protected: that would give
/// each a page table. A page that comes to have memory is unprotected, and so it counts as written.</para>
/// <para>For one thread at a time. No managed allocation after construction.</para>
/// </remarks>
internal sealed class WatchedPages : IDisposable
{
    private readonly ulong _start;
    private readonly long _count;
    private readonly UserfaultDescriptor _userfault;
    private readonly PageScan _scan;
    private PageBitmap _empty;
    private PageBitmap _emptyBefore;
    private bool _isNew = true;
    private bool _isLeft;

    private WatchedPages(
        ulong start, long count, UserfaultDescriptor userfault, PagemapDescriptor pagemap, bool wasEmpty)
    {
        _start = start;
        _count = count;
        _userfault = userfault;
        _scan = new PageScan(pagemap);
        bool referenced = false;
        userfault.DangerousAddRef(ref referenced);
        _empty = new PageBitmap(count);
        _emptyBefore = new PageBitmap(count);
        if (wasEmpty) _empty.Add(new PageRange(0, count));
    }

    private ulong End => _start + (ulong)Pages.Bytes(_count);

    /// <summary>Begins to watch; null where somebody watches a part already, or the kernel refuses.</summary>
    /// <param name="start">The first page's address.</param>
    /// <param name="count">How many.</param>
    /// <param name="userfault">What they are registered with.</param>
    /// <param name="pagemap">What tells of them.</param>
    /// <param name="wasEmpty">Whether what is known of them is that they are zero.</param>
    internal static WatchedPages? TryBegin(
        ulong start, long count, UserfaultDescriptor userfault, PagemapDescriptor pagemap, bool wasEmpty)
    {
        if (!WatchedPlaces.TryTake(start, start + (ulong)Pages.Bytes(count))) return null;
        WatchedPages watched = new(start, count, userfault, pagemap, wasEmpty);
        if (watched.TryRegister()) return watched;
        watched.Dispose();
        return null;
    }

    /// <summary>Adds the pages that were written since the last collect, and protects them again.</summary>
    /// <returns>
    /// False: the kernel does not watch all of them any more, and nothing is known of what was written.
    /// </returns>
    /// <exception cref="SnapshotException">SystemCall. Nothing is known either.</exception>
    internal bool TryCollect(PageBitmap written)
    {
        (_empty, _emptyBefore) = (_emptyBefore, _empty);
        bool isKnown = false;
        try
        {
            _empty.Clear();
            Scan(PageFilter.Empty, ScanMode.LookAtTracked, _empty);
            if (_isNew) Scan(PageFilter.Populated, ScanMode.LookAtTracked, written);
            Scan(PageFilter.WrittenAndPopulated, ScanMode.Protect, _isNew ? null : written);
            isKnown = true;
        }
        catch (SnapshotException error) when (error.Errno == Errno.NotPermitted)
        {
            return false;
        }
        finally
        {
            if (!isKnown) (_empty, _emptyBefore) = (_emptyBefore, _empty);
            _isNew = !isKnown;
        }

        written.AddDifference(_empty, _emptyBefore);
        return true;
    }

    /// <summary>
    /// Has the kernel watch them again; what the next collect takes is all that has memory, and what lost it.
    /// </summary>
    internal bool TryRegister()
    {
        _isNew = true;
        return Native.sn_uffd_register_wp(_userfault.Number, _start, End - _start) == 0;
    }

    /// <summary>About how many a collect would find.</summary>
    internal long CountWritten()
    {
        try
        {
            return Scan(
                _isNew ? PageFilter.Populated : PageFilter.WrittenAndPopulated, ScanMode.LookAtTracked, null);
        }
        catch (SnapshotException error) when (error.Errno == Errno.NotPermitted)
        {
            return _count;
        }
    }

    /// <summary>Those that the last collect found without memory.</summary>
    internal PageBitmap Empty => _empty;

    /// <summary>The pages are the program's alone again.</summary>
    /// <remarks>
    /// Where nothing is mapped at the first of them the kernel does nothing. What is left registered then is
    /// unprotected by the kernel page by page, as it is written, and nobody asks.
    /// </remarks>
    internal void Leave()
    {
        if (_isLeft) return;
        _isLeft = true;
        _ = Native.sn_uffd_unregister(_userfault.Number, _start, End - _start);
        WatchedPlaces.Release(_start);
    }

    public void Dispose()
    {
        Leave();
        _userfault.DangerousRelease();
        _scan.Dispose();
        _empty.Dispose();
        _emptyBefore.Dispose();
    }

    private long Scan(PageFilter filter, ScanMode mode, PageBitmap? into)
    {
        long count = 0;
        for (ulong at = _start; at < End;)
        {
            foreach (ref readonly PageRegion found in _scan.Step(ref at, End, filter, mode))
            {
                long first = (long)(found.Start - _start) >> Pages.Shift;
                PageRange run = new(first, ((long)(found.End - _start) >> Pages.Shift) - first);
                count += run.Count;
                into?.Add(run);
            }
        }

        return count;
    }
}
