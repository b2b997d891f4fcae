using Snapshot.Base;

namespace Snapshot.Memory;

/// <summary>Checks the tables of an arena that came from an image before anything trusts them.</summary>
/// <remarks>
/// Every number that is followed is checked against the bounds of the arena first, and every list is walked
/// at most as many steps as it can have members, so that no content makes the check fault or loop. It takes
/// time in proportion to the number of runs, not of pages. Not thread-safe.
/// </remarks>
internal sealed unsafe class ArenaCheck(AddressSpace space, PageTable table, ArenaAllocator allocator)
{
    /// <summary>
    /// A text that describes a type is shorter: zeros cost nothing in an image, and a string does.
    /// </summary>
    private const int LayoutBytesMax = 16 << 20;

    private ArenaHeader* Header => table.Header;

    /// <exception cref="SnapshotException"><see cref="SnapshotErrorCode.Corrupt"/>.</exception>
    internal void Run()
    {
        CheckHeader();
        CheckDirectory();
        CheckRuns(out long freeRuns, out long slabsWithRoom);
        CheckTablesAreLive();
        CheckFreeLists(freeRuns);
        CheckSlabLists(slabsWithRoom);
        CheckRoots();
    }

    private void CheckHeader()
    {
        Expect(Header->Magic == ArenaHeader.ExpectedMagic, "it does not begin with the mark of an arena", 0);
        if (Header->FormatVersion != ArenaHeader.CurrentVersion)
        {
            throw new SnapshotException(
                SnapshotErrorCode.UnsupportedFormat,
                $"Arena '{space.Name}' has format version {Header->FormatVersion}; this library reads " +
                $"version {ArenaHeader.CurrentVersion}. Restart with the version of the library that wrote " +
                "the image.");
        }

        Expect(Header->HeaderBytes == ArenaHeader.Bytes, "the size of its header is wrong", 12);
        Expect(Header->Base == (ulong)space.Base, $"it says that its base is 0x{Header->Base:x}", 16);
        Expect(
            Header->CapacityPages == space.CapacityPages, $"its capacity is {Header->CapacityPages} pages",
            24);
        Expect(
            Header->CommittedPages == space.CommittedPages,
            $"it has {Header->CommittedPages} committed pages", 32);
    }

    private void CheckDirectory()
    {
        long least = PageTable.ChunksHolding(space.CommittedPages);
        long most = PageTable.ChunksHolding(space.CapacityPages);
        Expect(
            Header->ChunkCount >= least && Header->ChunkCount <= most, "its number of chunks is wrong", 40);
        // They ascend, as an arena grows upward, and so no two lie in the same place: with what is behind
        // them the time that all this takes is bounded by what the image holds.
        long first = Pages.Bytes(1 + PageTable.DirectoryPages(space.CapacityPages));
        long last = Pages.Bytes(space.CommittedPages - PageTable.TablesPages);
        for (long chunk = 0; chunk < Header->ChunkCount; chunk++)
        {
            ChunkEntry entry = *table.Chunk(chunk);
            long tablesAt = entry.TablesOffset;
            bool tables = tablesAt >= first && tablesAt <= last && tablesAt % Pages.Size == 0;
            bool covering = entry.CoveringRun >= 0 && entry.CoveringRun < space.CommittedPages;
            bool right = tables && covering && entry.ExcludedPages == table.CountExcluded(chunk);
            Expect(right, $"directory entry {chunk} is wrong", OffsetOf(table.Chunk(chunk)));
            first = tablesAt + Pages.Bytes(PageTable.TablesPages);
        }
    }

    /// <summary>
    /// The runs cover the committed pages without a gap, and no two free ones lie side by side.
    /// </summary>
    private void CheckRuns(out long freeRuns, out long slabsWithRoom)
    {
        long freePages = 0, allocated = 0, liveRuns = 0;
        freeRuns = slabsWithRoom = 0;
        bool afterFree = false;
        for (long page = 0; page < space.CommittedPages;)
        {
            PageDescriptor* run = table.Descriptor(page);
            CheckRun(page, run, afterFree);
            afterFree = run->Kind == RunKind.Free;
            switch (run->Kind)
            {
                case RunKind.Free:
                    freeRuns++;
                    freePages += run->PageCount;
                    break;
                case RunKind.Slab:
                    CheckSlab(page, run);
                    allocated += run->UsedCells * (long)SizeClasses.Bytes(run->SizeClass);
                    if (run->UsedCells < Slabs.CellCount(run->SizeClass)) slabsWithRoom++;
                    break;
                case RunKind.Large:
                    allocated += Pages.Bytes(run->PageCount);
                    break;
            }

            if (!afterFree) liveRuns++;
            page += run->PageCount;
        }

        for (long chunk = 0; chunk < Header->ChunkCount; chunk++) liveRuns -= table.CountLive(chunk);
        Expect(liveRuns == 0, "its number of live runs is wrong", 0);
        Expect(freePages == Header->FreePages, "its sum of free memory is wrong", 48);
        Expect(allocated == Header->AllocatedBytes, "its sum of allocated memory is wrong", 56);
    }

    private void CheckRun(long page, PageDescriptor* run, bool afterFree)
    {
        bool live = table.IsLive(page) && run->Kind is RunKind.Tables or RunKind.Large or RunKind.Slab;
        bool free = !table.IsLive(page) && run->Kind == RunKind.Free && !afterFree;
        bool within = run->PageCount > 0 && run->PageCount <= space.CommittedPages - page;
        Expect((live || free) && within, $"page {page} is the first of no run", OffsetOf(run));
        PageDescriptor* last = table.Descriptor(page + run->PageCount - 1);
        RunKind end = last == run ? run->Kind : free ? RunKind.FreeEnd : RunKind.None;
        bool count = free ? last->PageCount == run->PageCount : IsCovering(page, run->PageCount);
        Expect(last->Kind == end && count, $"the run of page {page} has no right end", OffsetOf(last));
    }

    /// <summary>Whether the chunks that a live run reaches into say so.</summary>
    private bool IsCovering(long page, long pages)
    {
        for (long chunk = (page >> PageTable.ChunkShift) + 1; chunk << PageTable.ChunkShift < page + pages;
            chunk++)
        {
            if (table.Chunk(chunk)->CoveringRun != page) return false;
        }

        return true;
    }

    /// <summary>Header, directory and page tables are in runs that no allocation can get.</summary>
    private void CheckTablesAreLive()
    {
        ExpectTables(new PageRange(0, 1 + PageTable.DirectoryPages(space.CapacityPages)));
        for (long chunk = 0; chunk < Header->ChunkCount; chunk++)
            ExpectTables(
                new PageRange(table.Chunk(chunk)->TablesOffset >> Pages.Shift, PageTable.TablesPages));
    }

    private void ExpectTables(PageRange tables)
    {
        long run = table.LiveRunHolding(tables.Start);
        bool live = run >= 0 && table.Descriptor(run)->Kind == RunKind.Tables
            && run + table.Descriptor(run)->PageCount >= tables.End;
        Expect(live, $"the tables at page {tables.Start} are not its own", Pages.Bytes(tables.Start));
    }

    private void CheckSlab(long page, PageDescriptor* slab)
    {
        bool run = slab->PageCount == Slabs.SlabPages && page % Slabs.SlabPages == 0;
        bool cells = slab->SizeClass < SizeClasses.Count && slab->IsRoot <= 1 && slab->UsedCells > 0 &&
            slab->UsedCells <= Slabs.CellCount(slab->SizeClass) && Slabs.CountUsed(slab) == slab->UsedCells;
        Expect(run && cells, $"the slab at page {page} is wrong", OffsetOf(slab));
    }

    private void CheckFreeLists(long freeRuns)
    {
        long seen = 0;
        for (int list = 0; list < ArenaHeader.FreeListCount; list++)
        {
            bool marked = (Header->FreeListMask[list >> 6] >> (list & 63) & 1) != 0;
            Expect(marked == (Header->FreeLists[list] != 0), $"the mask of free list {list} is wrong", 128);
            uint previous = 0;
            for (uint run = Header->FreeLists[list]; run != 0; run = table.Descriptor(run)->Next)
            {
                Expect(++seen <= freeRuns && run < space.CommittedPages, $"free list {list} is wrong", 256);
                PageDescriptor* at = table.Descriptor(run);
                bool right =
                    at->Kind == RunKind.Free && at->PageCount > 0 && RunBins.ListFor(at->PageCount) == list;
                Expect(right &&
                    at->Previous == previous, $"free list {list} is wrong at page {run}", OffsetOf(at));
                previous = run;
            }
        }

        Expect(seen == freeRuns, "free runs are missing in its lists", 256);
    }

    private void CheckSlabLists(long slabsWithRoom)
    {
        long seen = 0;
        for (int list = 0; list < ArenaHeader.SlabListCount; list++)
        {
            uint previous = 0;
            for (uint page = Header->SlabLists[list]; page != 0; page = table.Descriptor(page)->Next)
            {
                bool known = ++seen <= slabsWithRoom && page < space.CommittedPages && table.IsLive(page);
                Expect(known, $"slab list {list} is wrong", 1024);
                PageDescriptor* at = table.Descriptor(page);
                bool right =
                    at->Kind == RunKind.Slab && Slabs.ListFor(at->SizeClass, at->IsRoot != 0) == list;
                Expect(right &&
                    at->Previous == previous, $"slab list {list} is wrong at page {page}", OffsetOf(at));
                previous = page;
            }
        }

        Expect(seen == slabsWithRoom, "slabs with room are missing in its lists", 1024);
    }

    private void CheckRoots()
    {
        HashSet<long> seen = [];
        for (long at = Header->FirstRoot; at != 0; at = ((RootEntry*)(table.Base + at))->Next)
        {
            bool entry = at % 16 == 0 && IsRootMemory(at, RootEntry.HeaderBytes) && seen.Add(at);
            Expect(entry, "its list of roots is wrong", 64);
            RootEntry* root = (RootEntry*)(table.Base + at);
            bool text = root->NameBytes is > 0 and <= RecordedName.MaxBytes
                && root->TypeBytes is > 0 and <= ushort.MaxValue &&
                root->LayoutBytes is > 0 and <= LayoutBytesMax;
            long bytes = RootEntry.HeaderBytes + (long)root->NameBytes + root->TypeBytes + root->LayoutBytes;
            bool data = root->Count >= 0 && root->ElementBytes > 0
                && root->Count <= RegionLimits.ArenaBytesMax / root->ElementBytes
                && IsRootMemory(root->DataOffset, Math.Max(1, root->Count * root->ElementBytes));
            Expect(text && IsRootMemory(at, bytes) && data, "a root is wrong", at);
        }

        Expect(seen.Count == Header->RootCount, "its number of roots is wrong", 72);
    }

    /// <summary>Whether the bytes are in one allocation that belongs to the root table.</summary>
    private bool IsRootMemory(long offset, long bytes) =>
        offset > 0 && offset < Pages.Bytes(space.CommittedPages)
        && allocator.TryFind(table.Base + offset, bytes, out Allocation allocation) && allocation.IsRoot;

    private void Expect(bool holds, string otherwise, long offset)
    {
        if (!holds) throw Wrong(otherwise, offset);
    }

    private SnapshotException Wrong(string what, long offset) => new(
        SnapshotErrorCode.Corrupt,
        $"Arena '{space.Name}' at 0x{(ulong)space.Base:x} does not hold a valid arena: {what} (at byte " +
        $"{offset:N0} of {Pages.Bytes(space.CommittedPages):N0}). Restart from another generation.")
    { Offset = offset };

    private long OffsetOf(void* place) => (byte*)place - table.Base;
}
