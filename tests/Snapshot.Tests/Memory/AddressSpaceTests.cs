using Snapshot.Base;
using Snapshot.Interop;
using Snapshot.Memory;
using Xunit;
using static Snapshot.Tests.Memory.ArenaTesting;

namespace Snapshot.Tests.Memory;

public sealed unsafe class AddressSpaceTests
{
    private const int Exists = 17; // EEXIST

    [Fact]
    public void Arenas_lie_apart_in_their_range()
    {
        Arena first = Make();
        using ArenaCloser firstCloser = new(first);
        Arena second = Make();
        using ArenaCloser secondCloser = new(second);
        foreach (Arena arena in new[] { first, second })
        {
            ulong highest = AddressSpace.HighestEnd - (ulong)arena.Capacity;
            Assert.InRange((ulong)arena.BaseAddress, AddressSpace.LowestBase, highest);
            Assert.Equal(0, arena.BaseAddress % Pages.HugeSize);
        }

        Assert.True(long.Abs(first.BaseAddress - second.BaseAddress) >= 256 * MiB + (long)AddressSpace.Gap);
    }

    [Fact]
    public void An_arena_lies_where_it_is_asked_to()
    {
        nint place = FixedBase();
        Arena there = Arena.Create("there", place, new ArenaOptions { Capacity = 16 * MiB });
        using ArenaCloser thereCloser = new(there);
        Assert.Equal(place, there.BaseAddress);
        Assert.Throws<ArgumentException>(() => Arena.Create("odd", place + 4096, new ArenaOptions()));
    }

    [Fact]
    public void A_reservation_costs_no_memory()
    {
        Arena arena = Arena.Create("default", null, new ArenaOptions());
        using ArenaCloser arenaCloser = new(arena);
        Assert.Equal(64L << 30, arena.Capacity);
        Assert.InRange(Smaps(arena, "Rss"), 4, 2 * 1024);
    }

    [Fact]
    public void An_arena_is_named_in_the_process_map_where_the_kernel_can()
    {
        Arena arena = Make(name: "named one");
        using ArenaCloser arenaCloser = new(arena);
        string map = File.ReadAllText("/proc/self/maps");
        // A kernel without CONFIG_ANON_VMA_NAME refuses with EINVAL: then the arena works without its name.
        fixed (byte* probe = "snapshot:named one\0"u8)
        {
            if (Native.sn_memory_name((ulong)arena.BaseAddress, (ulong)arena.Capacity, probe) == 0)
                Assert.Contains("[anon:snapshot:named one]", map, StringComparison.Ordinal);
        }
    }

    [HugePagesFact]
    public void Large_memory_is_in_huge_pages_by_default_and_not_when_refused()
    {
        Arena huge = Make(huge: true);
        using ArenaCloser hugeCloser = new(huge);
        Arena small = Make(huge: false);
        using ArenaCloser smallCloser = new(small);
        huge.Allocate<byte>(16 * MiB).AsSpan().Fill(1);
        small.Allocate<byte>(16 * MiB).AsSpan().Fill(1);
        Assert.InRange(Smaps(huge, "AnonHugePages"), 8 * 1024, 32 * 1024);
        Assert.Equal(0, Smaps(small, "AnonHugePages"));
    }

    [Fact]
    public void Memory_beyond_what_is_committed_is_not_mapped_for_access()
    {
        Arena arena = Make();
        using ArenaCloser arenaCloser = new(arena);
        string range = $"{arena.BaseAddress + (nint)arena.CommittedBytes:x}-";
        string rest = Assert.Single(
            File.ReadLines("/proc/self/maps"), line => line.StartsWith(range, StringComparison.Ordinal));
        Assert.Contains(" ---p ", rest, StringComparison.Ordinal);
    }

    [Fact]
    public void A_released_range_can_be_reserved_again_and_a_reserved_one_cannot()
    {
        nint there = FixedBase();
        Make(16 * MiB, at: there).Close();
        ulong place = (ulong)there;
        Assert.Equal(0, Native.sn_memory_reserve(place, 8192));
        Assert.Equal(Exists, Native.sn_memory_reserve(place + 4096, 8192));
        Assert.Equal(0, Native.sn_memory_release(place, 8192));
    }

    [Fact]
    public void Memory_reserved_anywhere_is_aligned_for_huge_pages_and_can_be_populated_once_committed()
    {
        ulong address;
        Assert.Equal(0, Native.sn_memory_reserve_anywhere(4 << 20, &address));
        Assert.Equal(0UL, address % Pages.HugeSize);
        Assert.Equal(0, Native.sn_memory_commit(address, 4 << 20));
        int populated = Native.sn_memory_populate(address, 4 << 20);
        if (MachineCapabilities.Current[Capability.Populate]) Assert.Equal(0, populated);
        Assert.True(IsZero((void*)address, 4 << 20));
        *(long*)address = 5;
        Assert.Equal(0, Native.sn_memory_discard(address, 4096));
        Assert.Equal(0, *(long*)address);
        Assert.Equal(0, Native.sn_memory_release(address, 4 << 20));
    }

    [Fact]
    public void A_failed_step_is_named_with_its_errno()
    {
        SnapshotException error =
            Assert.Throws<SnapshotException>(() => NativeError.ThrowIfFailed(12, "mmap", "Do this."));
        Assert.Equal((SnapshotErrorCode.SystemCall, "mmap", (int?)12), (error.Code, error.Step, error.Errno));
        Assert.Contains("errno 12). Do this.", error.Message, StringComparison.Ordinal);
        NativeError.ThrowIfFailed(0, "mmap", "");
    }
}
