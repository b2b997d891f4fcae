using System.Numerics;
using System.Runtime.InteropServices;
using Snapshot.Base;

namespace Snapshot.Memory;

/// <summary>
/// Allocates in an arena: small allocations in cells of slabs, the rest in whole pages. All its state is in
/// the arena.
/// </summary>
/// <remarks>
/// Deterministic: the same calls give the same addresses. A call that throws has changed nothing. Not
/// thread-safe.
/// </remarks>
internal sealed unsafe class ArenaAllocator(ArenaRegion region, PageTable table, PageRuns runs)
{
    /// <summary>The greatest alignment, 1 GiB: the greatest page of the machine.</summary>
    internal const int MaxAlignment = 1 << 30;

    private const string NotAllocated = "is not allocated: it was freed before, or never handed out";

    private readonly Slabs _slabs = new(runs, table);

    /// <summary>Allocates zeroed memory; returns its offset from the arena's base.</summary>
    internal long Allocate(long bytes, int alignment, long elementSize, bool isRoot)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bytes, 1);
        if (alignment is < 1 or > MaxAlignment || !BitOperations.IsPow2(alignment))
        {
            throw new ArgumentOutOfRangeException(
                nameof(alignment), alignment, "an alignment is a power of two from 1 to 1 GiB");
        }

        uint element = elementSize <= uint.MaxValue ? (uint)elementSize : 0;
        int sizeClass = SizeClasses.Holding(bytes, alignment);
        return sizeClass >= 0
            ? AllocateSmall(sizeClass, isRoot, element)
            : AllocateLarge(bytes, alignment, isRoot, element);
    }

    /// <summary>Frees the allocation that begins at <paramref name="pointer"/>.</summary>
    /// <exception cref="ArgumentException">
    /// No such allocation, or it belongs to the root table and <paramref name="isRoot"/> is false.
    /// </exception>
    internal void Free(void* pointer, bool isRoot)
    {
        Allocation allocation = Find(pointer, 1);
        long into = (byte*)pointer - table.Base - allocation.Offset;
        if (into != 0) throw Wrong(pointer, $"lies {into} bytes into an allocation; pass its first byte");
        if (allocation.IsRoot && !isRoot)
            throw Wrong(pointer, "is the memory of a root; remove the root by its name");

        // Discarding can fail, so it comes first.
        if (allocation.Index < 0 || _slabs.IsLast(allocation.Run.Start)) region.Drop(allocation.Run);
        table.SetExcluded(Allocation.WholePages(allocation.Offset, allocation.Bytes), excluded: false);
        if (allocation.Index < 0) runs.Give(allocation.Run);
        else _slabs.Give(allocation.Run.Start, allocation.Index);
        table.Header->AllocatedBytes -= allocation.Bytes;
    }

    /// <summary>
    /// Excludes or includes the whole pages inside a range of one allocation; returns their bytes.
    /// </summary>
    internal long SetExcluded(void* pointer, long bytes, bool excluded)
    {
        Find(pointer, bytes);
        PageRange pages = Allocation.WholePages((byte*)pointer - table.Base, bytes);
        table.SetExcluded(pages, excluded);
        region.Report(pages);
        return Pages.Bytes(pages.Count);
    }

    /// <summary>The live allocation that holds [pointer, pointer + bytes).</summary>
    /// <exception cref="ArgumentException">There is none, or the range goes beyond it.</exception>
    internal Allocation Find(void* pointer, long bytes)
    {
        if (!region.Contains(pointer)) throw Wrong(pointer, "is not in this arena");
        long offset = (byte*)pointer - table.Base;
        if (!TryHold(offset, out Allocation allocation, out RunKind kind))
            throw Wrong(pointer, kind == RunKind.Tables ? "lies in the arena's own tables" : NotAllocated);
        if (bytes > allocation.Offset + allocation.Bytes - offset)
            throw Wrong(pointer, $"begins {bytes:N0} bytes that reach beyond their allocation");
        return allocation;
    }

    /// <summary>
    /// The same for any pointer and number of bytes: false where there is no such allocation.
    /// </summary>
    internal bool TryFind(void* pointer, long bytes, out Allocation allocation)
    {
        allocation = default;
        if (bytes < 1 || !region.Contains(pointer)) return false;
        long offset = (byte*)pointer - table.Base;
        return TryHold(offset, out allocation, out _) &&
            bytes <= allocation.Offset + allocation.Bytes - offset;
    }

    /// <summary>
    /// The live allocation that holds a committed byte, and the kind of the live run that does.
    /// </summary>
    private bool TryHold(long offset, out Allocation allocation, out RunKind kind)
    {
        allocation = default;
        kind = RunKind.None;
        long start = table.LiveRunHolding(offset >> Pages.Shift);
        if (start < 0) return false;
        PageDescriptor* first = table.Descriptor(start);
        PageRange run = new(start, first->PageCount);
        kind = first->Kind;
        if (kind == RunKind.Slab) allocation = FindSmall(first, run, offset);
        if (kind == RunKind.Large)
            allocation = new Allocation(
                Pages.Bytes(start), Pages.Bytes(run.Count), run, -1, first->IsRoot != 0);
        return allocation.Bytes > 0;
    }

    private Allocation FindSmall(PageDescriptor* slab, PageRange run, long offset)
    {
        int index = _slabs.CellHolding(run.Start, offset);
        if (index < 0) return default;
        long bytes = SizeClasses.Bytes(slab->SizeClass);
        return new Allocation(Pages.Bytes(run.Start) + index * bytes, bytes, run, index, slab->IsRoot != 0);
    }

    private long AllocateSmall(int sizeClass, bool isRoot, uint elementSize)
    {
        long offset = _slabs.Take(sizeClass, isRoot, elementSize);
        int bytes = SizeClasses.Bytes(sizeClass);
        table.Header->AllocatedBytes += bytes;
        // The memory may have been in use; it is cleared here and not when freed, so that writing to freed
        // memory, a mistake nobody sees, cannot show up in fresh memory.
        NativeMemory.Clear(table.Base + offset, (nuint)bytes);
        return offset;
    }

    private long AllocateLarge(long bytes, int alignment, bool isRoot, uint elementSize)
    {
        // Beyond any capacity the page arithmetic could overflow; one page more than there is cannot be had
        // either.
        long pages = Pages.Holding(Math.Min(bytes, ArenaOptions.MaxCapacity + 1));
        int wanted = bytes >= Pages.HugeSize ? Math.Max(alignment, Pages.HugeSize) : alignment;
        PageDescriptor* first =
            runs.Take(pages, Math.Max(wanted >> Pages.Shift, 1), RunKind.Large, out long start);
        first->IsRoot = isRoot ? (byte)1 : (byte)0;
        first->ElementSize = elementSize;
        table.Header->AllocatedBytes += Pages.Bytes(pages);
        return Pages.Bytes(start);
    }

    private ArgumentException Wrong(void* pointer, string what) => new(
        $"0x{(ulong)pointer:x} {what} (arena '{region.RegionName}' from 0x{(ulong)table.Base:x}, committed " +
        $"to 0x{(ulong)(table.Base + Pages.Bytes(region.CommittedPages)):x}). Nothing was changed.",
        nameof(pointer));
}
