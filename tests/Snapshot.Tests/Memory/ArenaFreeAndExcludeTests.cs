using Snapshot.Base;
using Xunit;
using static Snapshot.Tests.Memory.ArenaTesting;

namespace Snapshot.Tests.Memory;

public sealed unsafe class ArenaFreeAndExcludeTests
{
    [Fact]
    public void A_freed_run_reads_as_zero_costs_nothing_and_is_reported_once()
    {
        Arena arena = Make();
        using ArenaCloser arenaCloser = new(arena);
        ArenaArray<byte> block = arena.Allocate<byte>(3 * MiB);
        block.AsSpan().Fill(1);
        long resident = Smaps(arena, "Rss");
        long page = PageOf(arena, block.Pointer);
        using PageBitmap nothing = Dropped(arena);
        Assert.Equal(0, nothing.Count());

        arena.Free(block);
        Assert.True(IsZero(block.Pointer, 3 * MiB));
        Assert.InRange(Smaps(arena, "Rss"), 0, resident);
        using PageBitmap dropped = Dropped(arena);
        Assert.True(dropped.NextRun(0, out PageRange run));
        Assert.Equal(new PageRange(page, 768), run);
        Assert.Equal(768, dropped.Count());
        using PageBitmap again = Dropped(arena);
        Assert.Equal(0, again.Count());
    }

    [Fact]
    public void Freed_memory_is_no_longer_resident()
    {
        Arena arena = Make();
        using ArenaCloser arenaCloser = new(arena);
        ArenaArray<byte> block = arena.Allocate<byte>(32 * MiB);
        block.AsSpan().Fill(1);
        long full = Smaps(arena, "Rss");
        arena.Free(block);
        Assert.InRange(Smaps(arena, "Rss"), 0, full - 32 * 1024);
    }

    [Fact]
    public void The_last_block_of_a_slab_takes_the_slab_with_it()
    {
        Arena arena = Make();
        using ArenaCloser arenaCloser = new(arena);
        List<nint> blocks = [];
        for (int i = 0; i < 300; i++) blocks.Add((nint)arena.Allocate(1000));
        byte* first = (byte*)blocks[0];
        foreach (nint block in blocks)
        {
            new Span<byte>((void*)block, 1000).Fill(9);
            arena.Free((void*)block);
        }

        using PageBitmap free = Free(arena);
        Assert.True(free.Contains(PageOf(arena, first)));
        Assert.True(IsZero(first, 300 * 1024));
        using PageBitmap dropped = Dropped(arena);
        Assert.Equal(16 * 5, dropped.Count());
        arena.CheckTables();
    }

    [Fact]
    public void Freed_neighbours_become_one_run_in_any_order()
    {
        Arena arena = Make();
        using ArenaCloser arenaCloser = new(arena);
        long before = LongestFree(arena);
        nint[] blocks = [.. Enumerable.Range(0, 5).Select(_ => (nint)arena.Allocate(100_000))];
        foreach (int i in new[] { 1, 3, 0, 2, 4 })
        {
            arena.Free((void*)blocks[i]);
            arena.CheckTables();
        }

        Assert.Equal(before, LongestFree(arena));

        static long LongestFree(Arena arena)
        {
            using PageBitmap free = Free(arena);
            Assert.True(free.NextRun(0, out PageRange run));
            Assert.Equal(run.Count, free.Count());
            return run.Count;
        }
    }

    [Fact]
    public void Only_whole_pages_inside_the_range_are_excluded()
    {
        Arena arena = Make();
        using ArenaCloser arenaCloser = new(arena);
        byte* block = (byte*)arena.Allocate(100_000);
        long page = PageOf(arena, block);
        Assert.Equal(2 * 4096, arena.Exclude(block + 1, 3 * 4096));
        using PageBitmap excluded = Excluded(arena);
        Assert.True(excluded.NextRun(0, out PageRange run));
        Assert.Equal(new PageRange(page + 1, 2), run);
        Assert.Equal(2, excluded.Count());
        Assert.Equal(0, arena.Exclude(block + 1, 4096));
        Assert.Equal(4096, arena.Exclude(block, 4096));
    }

    [Fact]
    public void Excluding_keeps_the_content_and_both_directions_are_reported()
    {
        Arena arena = Make();
        using ArenaCloser arenaCloser = new(arena);
        ArenaArray<double> scratch = arena.Allocate<double>(1_000_000);
        scratch.AsSpan().Fill(2.5);
        long whole = arena.Exclude(scratch);
        Assert.Equal(8_000_000 / 4096 * 4096, whole);
        Assert.Equal(2.5, scratch[500_000]);
        using PageBitmap dropped = Dropped(arena);
        using PageBitmap excluded = Excluded(arena);
        Assert.Equal(whole / 4096, dropped.Count());
        Assert.Equal(whole / 4096, excluded.Count());

        Assert.Equal(whole, arena.Include(scratch));
        using PageBitmap droppedAgain = Dropped(arena);
        using PageBitmap included = Excluded(arena);
        Assert.Equal(whole / 4096, droppedAgain.Count());
        Assert.Equal(0, included.Count());
    }

    [Fact]
    public void Freeing_excluded_memory_clears_the_exclusion()
    {
        Arena arena = Make();
        using ArenaCloser arenaCloser = new(arena);
        void* small = arena.Allocate(8192, 4096);
        arena.Allocate(8192, 4096);
        void* large = arena.Allocate(1 << 20);
        Assert.Equal(8192, arena.Exclude(small, 8192));
        Assert.Equal(1 << 20, arena.Exclude(large, 1 << 20));
        arena.Free(small);
        arena.Free(large);
        using PageBitmap excluded = Excluded(arena);
        Assert.Equal(0, excluded.Count());
    }

    [Fact]
    public void A_range_that_is_not_one_allocation_cannot_be_excluded()
    {
        Arena arena = Make();
        using ArenaCloser arenaCloser = new(arena);
        byte* block = (byte*)arena.Allocate(100_000);
        arena.Allocate(100_000);
        byte[] before = Bytes(arena);
        Refused("beyond", () => arena.Exclude(block, 200_000));
        Assert.Throws<ArgumentException>(() => arena.Exclude((void*)arena.BaseAddress, 4096));
        arena.Free(block);
        Assert.Throws<ArgumentException>(() => arena.Exclude(block, 4096));
        Assert.Equal(before.Length, Bytes(arena).Length);
        using PageBitmap excluded = Excluded(arena);
        Assert.Equal(0, excluded.Count());
    }

    [Fact]
    public void Exclusions_across_chunks_are_found_whole()
    {
        Arena arena = Make(1024 * MiB);
        using ArenaCloser arenaCloser = new(arena);
        ArenaArray<byte> big = arena.Allocate<byte>(300 * MiB);
        arena.Exclude(big);
        arena.Include(big.Pointer + 100 * MiB, 4096);
        using PageBitmap excluded = Excluded(arena);
        long page = PageOf(arena, big.Pointer);
        Assert.True(excluded.NextRun(0, out PageRange first));
        Assert.Equal(new PageRange(page, 25_600), first);
        Assert.True(excluded.NextRun(first.End, out PageRange second));
        Assert.Equal(new PageRange(page + 25_601, 51_199), second);
        Assert.False(excluded.NextRun(second.End, out _));
    }

    [Fact]
    public void Marking_allocates_no_managed_memory()
    {
        Arena arena = Make();
        using ArenaCloser arenaCloser = new(arena);
        for (int i = 0; i < 100; i++)
        {
            void* block = arena.Allocate(20_000);
            if (i % 2 == 0) arena.Free(block);
            else arena.Exclude(block, 20_000);
        }

        using PageBitmap set = new(arena.Region.CapacityPages);
        Mark();
        long before = GC.GetAllocatedBytesForCurrentThread();
        Mark();
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());

        void Mark()
        {
            using Lock.Scope scope = arena.LockTables();
            arena.MarkFree(set);
            arena.MarkExcluded(set);
            arena.Region.MoveDroppedTo(set);
            for (long page = 0; page < 100; page++) arena.ElementSizeAt(page);
        }
    }
}
