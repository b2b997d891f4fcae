using System.Runtime.InteropServices;
using Snapshot.Base;
using Snapshot.Interop;
using Snapshot.Memory;

namespace Snapshot.Tracking;

/// <summary>
/// Scans page tables of this process into a buffer of its own, allocated once; where the kernel has no scan,
/// by the entries of the pagemap.
/// </summary>
/// <remarks>
/// For one thread at a time. Several may look at one region with scans of their own; but two that protect
/// halves of it at the same time interrupt each other's processor for every TLB flush, which measured several
/// times slower than one thread alone.
/// </remarks>
internal sealed unsafe class PageScan : IDisposable
{
    /// <summary>
    /// Runs that one call may report. The kernel works in steps of 512 whatever it is given, and a buffer of
    /// 12 KiB stays in the first-level cache: larger ones measured up to a tenth slower.
    /// </summary>
    private const int Capacity = 512;

    private readonly PagemapDescriptor _pagemap;
    private PageRegion* _runs;

    internal PageScan(PagemapDescriptor pagemap)
    {
        _pagemap = pagemap;
        bool referenced = false;
        pagemap.DangerousAddRef(ref referenced);
        _runs = (PageRegion*)NativeMemory.AllocZeroed(Capacity, (nuint)sizeof(PageRegion));
    }

    /// <summary>
    /// Reports runs of pages in [<paramref name="at"/>, <paramref name="end"/>) that pass the filter, and
    /// advances <paramref name="at"/> to where the scan stopped (the buffer may fill before the end). The
    /// result is valid until the next call. Ends are page-aligned.
    /// </summary>
    /// <param name="at">The first address to scan; on return the first one not scanned.</param>
    /// <param name="end">The address after the last.</param>
    /// <param name="filter">Which pages to report.</param>
    /// <param name="mode">What it does besides.</param>
    internal ReadOnlySpan<PageRegion> Step(ref ulong at, ulong end, PageFilter filter, ScanMode mode)
    {
        ulong count, walked;
        int errno = Native.sn_pagemap_scan(
            _pagemap.Number, at, end, (ulong)filter.Require, (ulong)filter.Forbid, (ulong)filter.Any,
            (int)(mode | _pagemap.LooksBy), _runs, Capacity, &count, &walked);
        if (errno != 0)
        {
            throw NativeError.For(
                errno, "PAGEMAP_SCAN",
                "Nothing else may map, move or register memory in the address range of an arena (EPERM: a " +
                "part of it is no longer tracked).");
        }

        if (walked <= at || walked > end)
            throw new InvalidOperationException(
                $"A scan of [{at:x}, {end:x}) claims to have reached {walked:x}.");
        at = walked;
        return new ReadOnlySpan<PageRegion>(_runs, checked((int)count));
    }

    /// <summary>How many pages of a range pass the filter.</summary>
    internal long Count(ulong start, ulong end, PageFilter filter)
    {
        long count = 0;
        for (ulong at = start; at < end;)
        {
            foreach (ref readonly PageRegion run in Step(ref at, end, filter, ScanMode.Look))
                count += (long)(run.End - run.Start) >> Pages.Shift;
        }

        return count;
    }

    /// <summary>
    /// Adds those of a region's pages that are open for devices and have memory. Hold
    /// <see cref="DevicePages.Hold"/>.
    /// </summary>
    internal void AddOpen(MemoryRegion region, PageBitmap into)
    {
        if (region.Devices.Open is not { } open) return;
        ulong start = (ulong)region.Address;
        for (long at = 0; open.NextRun(at, out PageRange run); at = run.End)
        {
            ulong end = start + (ulong)Pages.Bytes(run.End);
            for (ulong next = start + (ulong)Pages.Bytes(run.Start); next < end;)
            {
                foreach (ref readonly PageRegion found in Step(
                    ref next, end, PageFilter.Populated, ScanMode.Look))
                {
                    into.Add(new PageRange(
                        (long)(found.Start - start) >> Pages.Shift,
                        (long)(found.End - found.Start) >> Pages.Shift));
                }
            }
        }
    }

    public void Dispose()
    {
        if (_runs == null) return;
        Free();
        _pagemap.DangerousRelease();
        GC.SuppressFinalize(this);
    }

    ~PageScan() => Free();

    private void Free()
    {
        NativeMemory.Free(_runs);
        _runs = null;
    }
}
