using Snapshot.Base;

namespace Snapshot.Memory;

/// <summary>Checks the tables of an arena that came from an image before anything trusts them.</summary>
/// <remarks>
/// Every number that is followed is checked against the bounds of the arena first, and every list is walked at most as
/// many steps as it can have members, so that no content makes the check fault or loop. It takes time in proportion to the
/// number of runs, not of pages. Not thread-safe.
/// </remarks>
internal sealed unsafe class ArenaCheck(AddressSpace space, PageTable table)
{
    private ArenaHeader* Header => table.Header;

    /// <exception cref="SnapshotException"><see cref="SnapshotErrorCode.Corrupt"/>.</exception>
    internal void Run()
    {
        CheckHeader();
        CheckDirectory();
        CheckRuns(out long freeRuns, out long slabsWithRoom);
        CheckFreeLists(freeRuns);
        CheckSlabLists(slabsWithRoom);
        CheckRoots();
    }

    private void CheckHeader()
    {
        if (Header->Magic != ArenaHeader.ExpectedMagic) throw Wrong($"it begins with 0x{Header->Magic:x16} and not with the mark of an arena", 0);
        if (Header->FormatVersion != ArenaHeader.CurrentVersion)
        {
            throw new SnapshotException(
                SnapshotErrorCode.UnsupportedFormat,
                $"Arena '{space.Name}' has format version {Header->FormatVersion}; this library reads version {ArenaHeader.CurrentVersion}. " +
                "Restart with the version of the library that wrote the image.");
        }

        Expect(Header->HeaderBytes == ArenaHeader.Bytes, "the size of its header is wrong", 12);
        Expect(Header->Base == (ulong)space.Base, $"it says that its base is 0x{Header->Base:x}", 16);
        Expect(Header->CapacityPages == space.CapacityPages, $"it says that its capacity is {Header->CapacityPages} pages of {space.CapacityPages}", 24);
        Expect(Header->CommittedPages == space.CommittedPages, $"it says that {Header->CommittedPages} pages are committed of {space.CommittedPages}", 32);
    }

    private void CheckDirectory()
    {
        long least = PageTable.ChunksHolding(space.CommittedPages);
        Expect(Header->ChunkCount >= least && Header->ChunkCount <= PageTable.ChunksHolding(space.CapacityPages), "its number of chunks is wrong", 40);
        long first = Pages.Bytes(1 + PageTable.DirectoryPages(space.CapacityPages));
        long last = Pages.Bytes(space.CommittedPages - PageTable.TablesPages);
        for (long chunk = 0; chunk < Header->ChunkCount; chunk++)
        {
            ChunkEntry entry = *table.Chunk(chunk);
            bool within = entry.TablesOffset >= first && entry.TablesOffset <= last && entry.TablesOffset % Pages.Size == 0;
            Expect(within && entry.CoveringRun >= 0 && entry.CoveringRun < space.CommittedPages, $"directory entry {chunk} is wrong", OffsetOf(table.Chunk(chunk)));
        }
    }

    /// <summary>The runs cover the committed pages without a gap, and no two free ones lie side by side.</summary>
    private void CheckRuns(out long freeRuns, out long slabsWithRoom)
    {
        long freePages = 0, allocated = 0;
        freeRuns = slabsWithRoom = 0;
        bool afterFree = false;
        for (long page = 0; page < space.CommittedPages;)
        {
            PageDescriptor* run = table.Descriptor(page);
            bool free = run->Kind == RunKind.Free;
            bool known = free ? !table.IsLive(page) && !afterFree : table.IsLive(page) && run->Kind is RunKind.Tables or RunKind.Large or RunKind.Slab;
            Expect(known && run->PageCount > 0 && run->PageCount <= space.CommittedPages - page, $"page {page} is the first of no run", OffsetOf(run));
            if (free)
            {
                freeRuns++;
                freePages += run->PageCount;
            }
            else if (run->Kind == RunKind.Slab)
            {
                CheckSlab(page, run);
                allocated += run->UsedBlocks * (long)SizeClasses.Bytes(run->SizeClass);
                if (run->UsedBlocks < Slabs.BlockCount(run->SizeClass)) slabsWithRoom++;
            }
            else if (run->Kind == RunKind.Large)
            {
                allocated += Pages.Bytes(run->PageCount);
            }

            afterFree = free;
            page += run->PageCount;
        }

        Expect(freePages == Header->FreePages && allocated == Header->AllocatedBytes, "its sums of free and allocated memory are wrong", 48);
    }

    private void CheckSlab(long page, PageDescriptor* slab)
    {
        Expect(
            slab->PageCount == Slabs.SlabPages && page % Slabs.SlabPages == 0 && slab->SizeClass < SizeClasses.Count && slab->IsRoot <= 1 &&
            slab->UsedBlocks > 0 && slab->UsedBlocks <= Slabs.BlockCount(slab->SizeClass), $"the slab at page {page} is wrong", OffsetOf(slab));
        Expect(Slabs.CountUsed(slab) == slab->UsedBlocks, $"the bitmap of the slab at page {page} is wrong", OffsetOf(slab + 1));
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
                Expect(at->Kind == RunKind.Free && RunBins.ListFor(at->PageCount) == list && at->Previous == previous, $"free list {list} is wrong at page {run}", OffsetOf(at));
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
                Expect(++seen <= slabsWithRoom && page < space.CommittedPages && table.IsLive(page), $"slab list {list} is wrong", 1024);
                PageDescriptor* at = table.Descriptor(page);
                Expect(at->Kind == RunKind.Slab && Slabs.ListFor(at->SizeClass, at->IsRoot != 0) == list && at->Previous == previous, $"slab list {list} is wrong at page {page}", OffsetOf(at));
                previous = page;
            }
        }

        Expect(seen == slabsWithRoom, "slabs with room are missing in its lists", 1024);
    }

    private void CheckRoots()
    {
        long committed = Pages.Bytes(space.CommittedPages);
        long seen = 0;
        for (long at = Header->FirstRoot; at != 0; at = ((RootEntry*)(table.Base + at))->Next)
        {
            Expect(++seen <= Header->RootCount && at > 0 && at <= committed - RootEntry.HeaderBytes && at % 16 == 0, "its list of roots is wrong", 64);
            RootEntry* root = (RootEntry*)(table.Base + at);
            long left = committed - at - RootEntry.HeaderBytes;
            bool text = root->NameBytes > 0 && root->TypeBytes > 0 && root->LayoutBytes > 0 && (long)root->NameBytes + root->TypeBytes + root->LayoutBytes <= left;
            bool data = root->DataOffset > 0 && root->DataOffset < committed && root->Count > 0 && root->ElementBytes > 0 &&
                root->Count <= (committed - root->DataOffset) / root->ElementBytes;
            Expect(text && data, "a root is wrong", at);
        }

        Expect(seen == Header->RootCount, "its number of roots is wrong", 72);
    }

    private void Expect(bool holds, string otherwise, long offset)
    {
        if (!holds) throw Wrong(otherwise, offset);
    }

    private SnapshotException Wrong(string what, long offset) => new(
        SnapshotErrorCode.Corrupt,
        $"Arena '{space.Name}' at 0x{(ulong)space.Base:x} does not hold a valid arena: {what} (at byte {offset:N0}). Restart from " +
        "another generation.") { Offset = offset };

    private long OffsetOf(void* place) => (byte*)place - table.Base;
}
