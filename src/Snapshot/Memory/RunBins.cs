using System.Numerics;
using Snapshot.Base;

namespace Snapshot.Memory;

/// <summary>
/// The lists of free runs of pages, one for each range of lengths, with a mask of those that are not empty.
/// </summary>
/// <remarks>
/// Lengths 1 to 8 have a list each; beyond that every doubling has four, so the runs of one list differ by a
/// quarter at most. Last in, first out: the same calls give the same addresses. Not thread-safe.
/// </remarks>
internal sealed unsafe class RunBins(PageTable table)
{
    /// <summary>The list for runs of <paramref name="pages"/> pages.</summary>
    internal static int ListFor(long pages)
    {
        if (pages < 8) return (int)pages - 1;
        int log = BitOperations.Log2((ulong)pages);
        return 7 + (log - 3) * 4 + (int)(pages >> (log - 2) & 3);
    }

    /// <summary>
    /// A free run that has <paramref name="pages"/> pages in a row beginning at a multiple of
    /// <paramref name="alignment"/> (a power of two), best list first; 0: none.
    /// </summary>
    internal long Find(long pages, long alignment)
    {
        for (int list = NextUsed(ListFor(pages)); list >= 0; list = NextUsed(list + 1))
        {
            for (long run = table.Header->FreeLists[list]; run != 0; run = table.Descriptor(run)->Next)
            {
                if (Pages.AlignUp(run, alignment) + pages <= run + table.Descriptor(run)->PageCount)
                    return run;
            }
        }

        return 0;
    }

    internal void Add(long start, long pages)
    {
        ArenaHeader* header = table.Header;
        int list = ListFor(pages);
        uint next = header->FreeLists[list];
        uint count = (uint)pages;
        *table.Descriptor(start + pages - 1) =
            new PageDescriptor { Kind = RunKind.FreeEnd, PageCount = count };
        *table.Descriptor(start) = new PageDescriptor { Kind = RunKind.Free, PageCount = count, Next = next };
        if (next != 0) table.Descriptor(next)->Previous = (uint)start;
        header->FreeLists[list] = (uint)start;
        header->FreeListMask[list >> 6] |= 1UL << (list & 63);
        header->FreePages += pages;
    }

    /// <summary>Takes a run out of its list and leaves its descriptors zero; returns its length.</summary>
    internal long Remove(long start)
    {
        ArenaHeader* header = table.Header;
        PageDescriptor run = *table.Descriptor(start);
        int list = ListFor(run.PageCount);
        if (run.Previous != 0) table.Descriptor(run.Previous)->Next = run.Next;
        else header->FreeLists[list] = run.Next;
        if (run.Next != 0) table.Descriptor(run.Next)->Previous = run.Previous;
        if (header->FreeLists[list] == 0) header->FreeListMask[list >> 6] &= ~(1UL << (list & 63));
        *table.Descriptor(start) = default;
        *table.Descriptor(start + run.PageCount - 1) = default;
        header->FreePages -= run.PageCount;
        return run.PageCount;
    }

    /// <summary>The first list at or after <paramref name="list"/> that is not empty, or -1.</summary>
    internal int NextUsed(int list)
    {
        for (int word = list >> 6; word < ArenaHeader.FreeListCount / 64; word++)
        {
            ulong bits = table.Header->FreeListMask[word];
            if (word == list >> 6) bits &= ulong.MaxValue << (list & 63);
            if (bits != 0) return (word << 6) + BitOperations.TrailingZeroCount(bits);
        }

        return -1;
    }
}
