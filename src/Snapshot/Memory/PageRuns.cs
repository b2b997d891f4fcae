using Snapshot.Base;

namespace Snapshot.Memory;

/// <summary>
/// Hands out runs of pages and takes them back: splits, merges with free neighbours, grows the arena.
/// </summary>
/// <remarks>
/// Free runs are merged at once, so no two lie side by side. What is free was given back to the kernel and
/// reads as zero. A call either succeeds or throws with nothing changed: whatever can fail (a limit, a system
/// call) comes before the first table is written. Not thread-safe.
/// </remarks>
internal sealed unsafe class PageRuns(AddressSpace space, PageTable table)
{
    /// <summary>The least growth: one huge page, so that no huge page is half accessible.</summary>
    internal const long MinStepPages = Pages.HugeSize / Pages.Size;

    /// <summary>
    /// Growth doubles the arena up to this step, 64 MiB: few system calls while it is small, and never more
    /// than that made accessible for nothing.
    /// </summary>
    internal const long MaxStepPages = 32 * MinStepPages;

    private readonly RunBins _free = new(table);

    internal RunBins Free => _free;

    /// <summary>Pages that the arena's own tables take at first.</summary>
    internal static long InitialTablesPages(long capacityPages) =>
        1 + PageTable.DirectoryPages(capacityPages) + PageTable.TablesPages;

    /// <summary>Writes the tables of an empty arena into fresh memory.</summary>
    internal void Format()
    {
        long capacity = space.CapacityPages;
        long tables = InitialTablesPages(capacity);
        long committed = Math.Min(Pages.AlignUp(tables + 1, MinStepPages), capacity);
        space.CommitTo(committed);

        ArenaHeader* header = table.Header;
        header->Magic = ArenaHeader.ExpectedMagic;
        header->FormatVersion = ArenaHeader.CurrentVersion;
        header->HeaderBytes = ArenaHeader.Bytes;
        header->Base = (ulong)space.Base;
        header->CapacityPages = capacity;
        header->CommittedPages = committed;
        header->ChunkCount = 1;
        table.Chunk(0)->TablesOffset = Pages.Bytes(tables - PageTable.TablesPages);
        table.SetLive(new PageRange(0, tables), RunKind.Tables);
        _free.Add(tables, committed - tables);
    }

    /// <summary>
    /// Takes <paramref name="pages"/> free pages in a row, from a multiple of <paramref name="alignment"/>
    /// on.
    /// </summary>
    internal PageDescriptor* Take(long pages, long alignment, RunKind kind, out long start)
    {
        long run = _free.Find(pages, alignment);
        if (run == 0)
        {
            Grow(pages, alignment);
            run = _free.Find(pages, alignment);
            if (run == 0) throw new InvalidOperationException("The arena grew and still has no room.");
        }

        long end = run + _free.Remove(run);
        start = Pages.AlignUp(run, alignment);
        if (start > run) _free.Add(run, start - run);
        if (start + pages < end) _free.Add(start + pages, end - start - pages);
        return table.SetLive(new PageRange(start, pages), kind);
    }

    /// <summary>Takes back a live run whose content was discarded.</summary>
    internal void Give(PageRange run)
    {
        table.ClearLive(run.Start);
        AddMerged(run.Start, run.End);
    }

    private void AddMerged(long start, long end)
    {
        // Page 0 is live for ever, so there is a page before. Descriptors of slab bitmaps never lie on a
        // run's last page.
        PageDescriptor* before = table.Descriptor(start - 1);
        if (before->Kind is RunKind.Free or RunKind.FreeEnd) start -= _free.Remove(start - before->PageCount);
        if (end < table.Header->CommittedPages && table.Descriptor(end)->Kind == RunKind.Free)
            end += _free.Remove(end);
        _free.Add(start, end - start);
    }

    /// <summary>Makes room at the end of the arena; afterwards <see cref="RunBins.Find"/> succeeds.</summary>
    private void Grow(long pages, long alignment)
    {
        ArenaHeader* header = table.Header;
        long committed = header->CommittedPages;
        GrowthPlan plan = Plan(pages, alignment);
        space.CommitTo(plan.CommittedPages);

        // The new tables lie first in what was committed just now, so their own pages are described, maybe by
        // themselves.
        long tables = (plan.ChunkCount - header->ChunkCount) * PageTable.TablesPages;
        for (long chunk = header->ChunkCount; chunk < plan.ChunkCount; chunk++)
        {
            table.Chunk(chunk)->TablesOffset =
                Pages.Bytes(committed + (chunk - header->ChunkCount) * PageTable.TablesPages);
        }

        header->ChunkCount = plan.ChunkCount;
        header->CommittedPages = plan.CommittedPages;
        if (tables > 0) table.SetLive(new PageRange(committed, tables), RunKind.Tables);
        if (committed + tables < plan.CommittedPages) AddMerged(committed + tables, plan.CommittedPages);
    }

    private readonly record struct GrowthPlan(long CommittedPages, long ChunkCount);

    /// <summary>
    /// How far to grow. New page tables separate what is free before them from what comes after, so they are
    /// added only when they must be, and then for twice as many chunks: an arena of any size has a handful of
    /// such borders.
    /// </summary>
    private GrowthPlan Plan(long pages, long alignment)
    {
        ArenaHeader* header = table.Header;
        long capacity = header->CapacityPages;
        long committed = header->CommittedPages;
        long step = Math.Clamp(committed, MinStepPages, MaxStepPages);
        for (long chunks = header->ChunkCount; ;)
        {
            long tables = (chunks - header->ChunkCount) * PageTable.TablesPages;
            long from = tables == 0 ? StartOfFreeEnd(committed) : committed + tables;
            long end = Pages.AlignUp(from, alignment) + pages;
            if (end > capacity) throw Full(pages, alignment);

            long described = Math.Min(chunks << PageTable.ChunkShift, capacity);
            if (end <= described)
            {
                long wanted = Pages.AlignUp(Math.Max(end, committed + step), MinStepPages);
                return new GrowthPlan(Math.Min(wanted, described), chunks);
            }

            long doubled = Math.Min(2 * header->ChunkCount, PageTable.ChunksHolding(capacity));
            chunks = Math.Max(PageTable.ChunksHolding(end), doubled);
        }
    }

    private long StartOfFreeEnd(long committed)
    {
        PageDescriptor* last = table.Descriptor(committed - 1);
        return last->Kind is RunKind.Free or RunKind.FreeEnd ? committed - last->PageCount : committed;
    }

    private SnapshotException Full(long pages, long alignment)
    {
        ArenaHeader* header = table.Header;
        string aligned = alignment > 1 ? $" aligned to {Pages.Bytes(alignment):N0}" : "";
        return new SnapshotException(
            SnapshotErrorCode.ArenaFull,
            $"Arena '{space.Name}' has no {Pages.Bytes(pages):N0} free bytes in a row{aligned}. Of its " +
            $"capacity of {Pages.Bytes(header->CapacityPages):N0} bytes, " +
            $"{Pages.Bytes(header->CommittedPages):N0} are committed, and " +
            $"{Pages.Bytes(header->FreePages):N0} of those are free. Nothing was changed. Free memory, or " +
            "allocate in another arena. An arena keeps the capacity it was made with: give a new one a " +
            "larger ArenaOptions.Capacity, which costs no memory.");
    }
}
