using System.Numerics;
using Snapshot.Base;

namespace Snapshot.Memory;

/// <summary>Hands out cells: a slab is a run of 16 pages cut into cells of one size class.</summary>
/// <remarks>
/// <para>Which cells are in use is not kept in the slab but in its page descriptors, where an overrun does
/// not reach: the entries of pages 1 to 14 are a bitmap of 3584 bits (bit set: in use), enough for every
/// class but that of 16 bytes, whose slabs use seven eighths of their bytes. A slab begins at a multiple of
/// 16 pages, so its entries lie in one chunk's tables. The entry of page 15 stays zero: a run's last entry
/// tells its neighbour whether it is free.</para>
/// <para>A slab without a cell in use is given back at once. Not thread-safe.</para>
/// </remarks>
internal sealed unsafe class Slabs(PageRuns runs, PageTable table)
{
    internal const int SlabPages = 16;
    private const int SlabBytes = SlabPages * Pages.Size;
    private const int BitmapBits = 14 * PageDescriptor.Bytes * 8;

    /// <summary>The number of cells of a slab.</summary>
    internal static int CellCount(int sizeClass) =>
        Math.Min(SlabBytes / SizeClasses.Bytes(sizeClass), BitmapBits);

    /// <summary>Takes a cell; returns its offset in the arena. Its content is what it last held.</summary>
    internal long Take(int sizeClass, bool isRoot, uint elementSize)
    {
        uint page = table.Header->SlabLists[ListFor(sizeClass, isRoot)];
        PageDescriptor* slab = page == 0 ? Make(sizeClass, isRoot, out page) : table.Descriptor(page);
        int index = FirstFree(slab);
        Word(slab, index) |= 1UL << (index & 63);
        // One type throughout, or unknown.
        slab->ElementSize = slab->UsedCells == 0 || slab->ElementSize == elementSize ? elementSize : 0;
        slab->UsedCells++;
        if (slab->UsedCells == CellCount(sizeClass)) Unlink(slab);
        return Pages.Bytes(page) + (long)index * SizeClasses.Bytes(sizeClass);
    }

    /// <summary>The index of the cell in use that begins at or holds the offset, or -1.</summary>
    internal int CellHolding(long slabPage, long offset)
    {
        PageDescriptor* slab = table.Descriptor(slabPage);
        int index = (int)((offset - Pages.Bytes(slabPage)) / SizeClasses.Bytes(slab->SizeClass));
        return index < CellCount(slab->SizeClass) && (Word(slab, index) >> (index & 63) & 1) != 0
            ? index : -1;
    }

    /// <summary>
    /// Whether giving back one more cell leaves the slab empty, so that <see cref="Give"/> gives its pages
    /// back.
    /// </summary>
    internal bool IsLast(long slabPage) => table.Descriptor(slabPage)->UsedCells == 1;

    /// <summary>Takes a cell back. Of the slab's last cell the content must have been discarded.</summary>
    internal void Give(long slabPage, int index)
    {
        PageDescriptor* slab = table.Descriptor(slabPage);
        Word(slab, index) &= ~(1UL << (index & 63));
        if (slab->UsedCells == CellCount(slab->SizeClass)) Link(slab, (uint)slabPage);
        slab->UsedCells--;
        if (slab->UsedCells > 0) return;
        Unlink(slab);
        runs.Give(new PageRange(slabPage, SlabPages));
    }

    /// <summary>Counts the bits of a slab's bitmap.</summary>
    internal static long CountUsed(PageDescriptor* slab)
    {
        long count = 0;
        for (int index = 0; index < BitmapBits; index += 64)
            count += BitOperations.PopCount(Word(slab, index));
        return count;
    }

    internal static int ListFor(int sizeClass, bool isRoot) =>
        isRoot ? SizeClasses.Count + sizeClass : sizeClass;

    private PageDescriptor* Make(int sizeClass, bool isRoot, out uint page)
    {
        PageDescriptor* slab = runs.Take(SlabPages, SlabPages, RunKind.Slab, out long start);
        page = (uint)start;
        slab->SizeClass = (byte)sizeClass;
        slab->IsRoot = isRoot ? (byte)1 : (byte)0;
        Link(slab, page);
        return slab;
    }

    private void Link(PageDescriptor* slab, uint page)
    {
        uint* list = List(slab);
        slab->Previous = 0;
        slab->Next = *list;
        if (*list != 0) table.Descriptor(*list)->Previous = page;
        *list = page;
    }

    private void Unlink(PageDescriptor* slab)
    {
        if (slab->Previous != 0) table.Descriptor(slab->Previous)->Next = slab->Next;
        else *List(slab) = slab->Next;
        if (slab->Next != 0) table.Descriptor(slab->Next)->Previous = slab->Previous;
        slab->Previous = slab->Next = 0;
    }

    private uint* List(PageDescriptor* slab) =>
        table.Header->SlabLists + ListFor(slab->SizeClass, slab->IsRoot != 0);

    private static int FirstFree(PageDescriptor* slab)
    {
        int cells = CellCount(slab->SizeClass);
        for (int index = 0; index < cells; index += 64)
        {
            ulong free = ~Word(slab, index);
            int found = index + BitOperations.TrailingZeroCount(free);
            if (free != 0 && found < cells) return found;
        }

        throw new InvalidOperationException("A slab in the list of slabs with room has none.");
    }

    private static ref ulong Word(PageDescriptor* slab, int index) => ref ((ulong*)(slab + 1))[index >> 6];
}
