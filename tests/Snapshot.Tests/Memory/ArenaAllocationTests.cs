using Snapshot.Base;
using Snapshot.Interop;
using Xunit;
using static Snapshot.Tests.Memory.ArenaTesting;

namespace Snapshot.Tests.Memory;

public sealed unsafe class ArenaAllocationTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(100)]
    [InlineData(8192)]
    [InlineData(8193)]
    [InlineData(3 << 20)]
    public void Memory_reads_as_zero_also_after_it_was_used_and_freed(int bytes)
    {
        Arena arena = Make();
        using ArenaCloser arenaCloser = new(arena);
        for (int round = 0; round < 3; round++)
        {
            void* block = arena.Allocate(bytes);
            Assert.True(IsZero(block, bytes));
            new Span<byte>(block, bytes).Fill(0xEE);
            arena.Free(block);
        }

        Assert.Equal(0, arena.AllocatedBytes);
        arena.CheckTables();
    }

    [Theory]
    [InlineData(24, 8)]
    [InlineData(100, 64)]
    [InlineData(16, 4096)]
    [InlineData(8192, 8192)]
    [InlineData(10_000, 65_536)]
    [InlineData(4096, 2 << 20)]
    public void An_allocation_is_aligned_as_asked(int bytes, int alignment)
    {
        Arena arena = Make();
        using ArenaCloser arenaCloser = new(arena);
        arena.Allocate(16);
        for (int i = 0; i < 5; i++) Assert.Equal(0, (nint)arena.Allocate(bytes, alignment) % alignment);
        arena.CheckTables();
    }

    [Fact]
    public void A_large_allocation_begins_at_a_huge_page()
    {
        Arena arena = Make();
        using ArenaCloser arenaCloser = new(arena);
        for (int i = 0; i < 4; i++)
            Assert.Equal(0, (nint)arena.Allocate((2 << 20) + i * 5000) % Pages.HugeSize);
    }

    [Fact]
    public void Typed_arrays_begin_at_a_cache_line()
    {
        Arena arena = Make();
        using ArenaCloser arenaCloser = new(arena);
        for (int count = 8; count < 200; count += 7)
            Assert.Equal(0, (nint)arena.Allocate<double>(count).Pointer % 64);
    }

    [Fact]
    public void The_same_calls_give_the_same_places()
    {
        Arena first = Make();
        using ArenaCloser firstCloser = new(first);
        Arena second = Make();
        using ArenaCloser secondCloser = new(second);
        Assert.Equal(Script(first), Script(second));

        static List<long> Script(Arena arena)
        {
            Random random = new(7);
            List<nint> live = [];
            List<long> places = [];
            for (int i = 0; i < 2000; i++)
            {
                if (live.Count > 0 && random.Next(3) == 0)
                {
                    int index = random.Next(live.Count);
                    arena.Free((void*)live[index]);
                    live.RemoveAt(index);
                }
                else
                {
                    live.Add((nint)arena.Allocate(random.Next(1, 20_000)));
                    places.Add(live[^1] - arena.BaseAddress);
                }
            }

            return places;
        }
    }

    [Theory]
    [InlineData(64)]
    [InlineData(100_000)]
    public void A_second_free_is_refused_and_changes_nothing(int bytes)
    {
        Arena arena = Make();
        using ArenaCloser arenaCloser = new(arena);
        void* other = arena.Allocate(bytes);
        void* block = arena.Allocate(bytes);
        arena.Free(block);
        byte[] before = Bytes(arena);
        ArgumentException error = Assert.Throws<ArgumentException>(() => arena.Free(block));
        Assert.Contains("freed before", error.Message, StringComparison.Ordinal);
        Assert.True(Bytes(arena).AsSpan().SequenceEqual(before));
        arena.Free(other);
    }

    [Theory]
    [InlineData(64, 16)]
    [InlineData(100_000, 16)]
    [InlineData(100_000, 8192)]
    public void A_pointer_into_an_allocation_is_refused_and_told_how_far(int bytes, int into)
    {
        Arena arena = Make();
        using ArenaCloser arenaCloser = new(arena);
        byte* block = (byte*)arena.Allocate(bytes);
        byte[] before = Bytes(arena);
        ArgumentException error = Assert.Throws<ArgumentException>(() => arena.Free(block + into));
        Assert.Contains($"{into} bytes into an allocation", error.Message, StringComparison.Ordinal);
        Assert.True(Bytes(arena).AsSpan().SequenceEqual(before));
    }

    [Fact]
    public void Foreign_pointers_and_the_arenas_own_tables_are_refused()
    {
        Arena arena = Make();
        using ArenaCloser arenaCloser = new(arena);
        Arena other = Make();
        using ArenaCloser otherCloser = new(other);
        void* foreign = other.Allocate(64);
        Refused("not in this arena", () => arena.Free(foreign));
        Refused("own tables", () => arena.Free((void*)arena.BaseAddress));
        Assert.Throws<ArgumentNullException>(() => arena.Free(null));
        Assert.Throws<ArgumentOutOfRangeException>(() => { arena.Allocate(0); });
        Assert.Throws<ArgumentOutOfRangeException>(() => { arena.Allocate(1, 3); });
    }

    [Theory]
    [InlineData(16)]
    [InlineData(8192)]
    [InlineData(50_000)]
    [InlineData(2 << 20)]
    public void A_full_arena_says_so_and_is_as_it_was(int bytes)
    {
        // The same calls give the same places, so one arena tells how many calls fill another.
        long count = 0;
        Arena first = Make(16 * MiB);
        using (new ArenaCloser(first))
        {
            while (TryAllocate(first, bytes) is null) count++;
        }

        Assert.True(count * bytes > (bytes == 2 << 20 ? 13 : 14) * MiB * 7 / 8, $"only {count} allocations");
        Arena arena = Make(16 * MiB);
        using ArenaCloser arenaCloser = new(arena);
        for (long i = 0; i < count; i++) arena.Allocate(bytes);
        byte[] before = Bytes(arena);
        SnapshotException error = TryAllocate(arena, bytes)!;
        Assert.Equal(SnapshotErrorCode.ArenaFull, error.Code);
        Assert.Contains("'test'", error.Message, StringComparison.Ordinal);
        Assert.Contains("16,777,216", error.Message, StringComparison.Ordinal);
        Assert.True(Bytes(arena).AsSpan().SequenceEqual(before));
        arena.CheckTables();

        static SnapshotException? TryAllocate(Arena arena, int bytes)
        {
            try
            {
                arena.Allocate(bytes);
                return null;
            }
            catch (SnapshotException full)
            {
                return full;
            }
        }
    }

    [Fact]
    public void A_request_beyond_any_capacity_is_refused_before_anything_changes()
    {
        Arena arena = Make(16 * MiB);
        using ArenaCloser arenaCloser = new(arena);
        byte[] before = Bytes(arena);
        foreach (long bytes in new[] { 17 * MiB, ArenaOptions.MaxCapacity + 1, long.MaxValue })
            Full(() => { arena.Allocate(bytes); });
        Full(() => arena.Allocate<double>(long.MaxValue));
        Full(() => arena.RootArray<double>("big", long.MaxValue));
        Assert.True(Bytes(arena).AsSpan().SequenceEqual(before));
    }

    [Fact]
    public void An_arena_grows_past_its_first_page_tables_and_stays_in_order()
    {
        Arena arena = Make(2048 * MiB);
        using ArenaCloser arenaCloser = new(arena);
        List<nint> blocks = [];
        // Untouched memory is not resident: this costs address space and tables only.
        for (int i = 0; i < 18; i++) blocks.Add((nint)arena.Allocate(60 * MiB));
        void* giant = arena.Allocate(500 * MiB);
        arena.CheckTables();
        Assert.True(arena.CommittedBytes > 1500 * MiB);

        // Far inside a run that spans chunks, the run is still found.
        Refused("into an allocation", () => arena.Free((byte*)giant + 400 * MiB));
        foreach (nint block in blocks) arena.Free((void*)block);
        arena.Free(giant);
        arena.CheckTables();
        Assert.Equal(0, arena.AllocatedBytes);
    }

    [Fact]
    public void Growth_comes_in_whole_huge_pages_and_doubles()
    {
        Arena arena = Make(1024 * MiB);
        using ArenaCloser arenaCloser = new(arena);
        Assert.Equal(2 * MiB, arena.CommittedBytes);
        List<long> sizes = [];
        for (int i = 0; i < 400; i++)
        {
            arena.Allocate(MiB / 2);
            if (sizes.Count == 0 || sizes[^1] != arena.CommittedBytes) sizes.Add(arena.CommittedBytes);
        }

        Assert.All(sizes, size => Assert.Equal(0, size % Pages.HugeSize));
        Assert.True(sizes.Count < 12, $"{sizes.Count} steps");
    }

    [Fact]
    public void Options_have_limits()
    {
        Assert.Throws<ArgumentOutOfRangeException>(
            () => new ArenaOptions { Capacity = ArenaOptions.MinCapacity - 1 });
        Assert.Throws<ArgumentOutOfRangeException>(
            () => new ArenaOptions { Capacity = ArenaOptions.MaxCapacity + 1 });
        Assert.Equal(6 * MiB, new ArenaOptions { Capacity = 5 * MiB }.Capacity);
        Assert.Equal(64L << 30, new ArenaOptions().Capacity);
        Assert.True(new ArenaOptions().HugePages);
        ArenaOptions sparse = new() { HugePages = false, Capture = CaptureMode.Stage };
        Assert.Same(sparse, sparse.FitTo(null));
        ArenaOptions fitted = sparse.FitTo(new AddressSpaceLimit(10L << 30, (3L << 30) - (768L << 20) - 1));
        Assert.Equal(
            ((7L << 30) / 2, false, CaptureMode.Stage), (fitted.Capacity, fitted.HugePages, fitted.Capture));
        Assert.Equal(64L << 30, sparse.FitTo(new AddressSpaceLimit(1L << 40, 0)).Capacity);
        Assert.Equal(
            ArenaOptions.MinCapacity, sparse.FitTo(new AddressSpaceLimit(1L << 30, 1L << 30)).Capacity);
        AddressWindow window = new(600);
        Assert.Equal((63L << 30) / 2, sparse.FitTo(null, window).Capacity);
        Assert.Equal((63L << 30) / 2, sparse.FitTo(new AddressSpaceLimit(1L << 40, 0), window).Capacity);
        Assert.Equal(
            fitted.Capacity,
            sparse.FitTo(new AddressSpaceLimit(10L << 30, (3L << 30) - (768L << 20) - 1), window).Capacity);
        ArenaOptions asked = new() { Capacity = 64L << 30 };
        Assert.Same(asked, asked.FitTo(new AddressSpaceLimit(1L << 30, 0), window));
    }

    [Fact]
    public void The_least_and_the_greatest_arena_work()
    {
        foreach (long capacity in new[] { ArenaOptions.MinCapacity, ArenaOptions.MaxCapacity })
        {
            Arena arena = Make(capacity);
            using ArenaCloser arenaCloser = new(arena);
            *(long*)arena.Allocate(2 << 20, 8) = 1;
            arena.CheckTables();
        }
    }

    [Fact]
    public void A_disposed_arena_refuses_calls_and_a_second_dispose_does_nothing()
    {
        Arena arena = Make();
        nint address = arena.BaseAddress;
        arena.Close();
        arena.Close();
        Assert.Throws<ObjectDisposedException>(() => { arena.Allocate(1); });
        Assert.Throws<ObjectDisposedException>(() => arena.Roots);
        Assert.False(arena.Contains((void*)address));
    }

    [Theory]
    [InlineData("")]
    [InlineData("a$b")]
    [InlineData("a]")]
    [InlineData("grün")]
    [InlineData("12345678901234567890123456789012345678901234567890123456789012345")]
    public void A_name_that_the_kernel_would_refuse_is_refused(string name) =>
        Assert.Throws<ArgumentException>(() => Make(name: name));

    [Fact]
    public void Element_sizes_are_known_where_memory_was_allocated_typed()
    {
        Arena arena = Make();
        using ArenaCloser arenaCloser = new(arena);
        Assert.Equal(8, SizeAt(arena, arena.Allocate<double>(1_000_000).Pointer));
        Assert.Equal(4, SizeAt(arena, arena.Allocate<float>(10_000_000).Pointer + 9_999_999));
        Assert.Equal(0, SizeAt(arena, arena.Allocate(1_000_000)));
        Assert.Equal(2, SizeAt(arena, arena.RootArray<short>("root", 1_000_000).Pointer));

        // A slab has the size of all its blocks or none.
        double* row = arena.Allocate<double>(100).Pointer;
        Assert.Equal(8, SizeAt(arena, row));
        arena.Allocate<double>(100);
        Assert.Equal(8, SizeAt(arena, row));
        arena.Allocate<float>(200);
        Assert.Equal(0, SizeAt(arena, row));
        Assert.Equal(0, SizeAt(arena, (void*)arena.BaseAddress));

        static int SizeAt(Arena arena, void* pointer)
        {
            using Lock.Scope scope = arena.LockTables();
            return arena.ElementSizeAt(PageOf(arena, pointer));
        }
    }
}
