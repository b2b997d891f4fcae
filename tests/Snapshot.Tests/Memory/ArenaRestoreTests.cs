using Snapshot.Base;
using Snapshot.Memory;
using Xunit;
using static Snapshot.Tests.Memory.ArenaTesting;

namespace Snapshot.Tests.Memory;

public sealed unsafe class ArenaRestoreTests
{
    private struct Node
    {
        public int Value;
        public Node* Next;
    }

    /// <summary>What a store would keep of an arena.</summary>
    private sealed record Saved(nint Base, long Pages, long Capacity, byte[] Content)
    {
        internal static Saved Of(Arena arena)
        {
            using Lock.Scope scope = arena.LockTables();
            return new Saved(arena.BaseAddress, arena.Region.CommittedPages, arena.Capacity, Bytes(arena));
        }

        internal Arena Restore(Action<byte[]>? damage = null)
        {
            ArenaOptions options = new() { Capacity = Capacity, HugePages = false };
            Arena arena = Arena.Restore("test", Base, Pages, options);
            byte[] content = (byte[])Content.Clone();
            damage?.Invoke(content);
            content.CopyTo(new Span<byte>(arena.Region.Address, content.Length));
            return arena;
        }
    }

    [Fact]
    public void Roots_pointers_and_the_allocator_go_on_after_a_restore()
    {
        Saved saved;
        long allocated;
        nint freed, last;
        Arena arena = Make(128 * MiB, at: FixedBase());
        using (new ArenaCloser(arena))
        {
            Node** head = (Node**)arena.RootPointer<nint>("head");
            for (int i = 0; i < 5000; i++)
            {
                Node* node = arena.Allocate<Node>(1).Pointer;
                *node = new Node { Value = i, Next = *head };
                *head = node;
            }

            arena.RootArray<double>("field", 300_000).AsSpan().Fill(0.25);
            arena.Exclude(arena.RootArray<double>("scratch", 100_000));
            freed = (nint)arena.Allocate(200_000);
            last = (nint)arena.Allocate(200_000);
            arena.Free((void*)freed);
            allocated = arena.AllocatedBytes;
            saved = Saved.Of(arena);
        }

        Arena restored = saved.Restore();
        using ArenaCloser restoredCloser = new(restored);
        restored.Adopt();
        Assert.Equal(saved.Base, restored.BaseAddress);
        Assert.Equal(allocated, restored.AllocatedBytes);
        Node* at = *(Node**)restored.RootPointer<nint>("head");
        for (int i = 4999; i >= 0; i--, at = at->Next) Assert.Equal(i, at->Value);
        Assert.True(at == null);
        Assert.Equal(-1, restored.RootArray<double>("field", 300_000).AsSpan().IndexOfAnyExcept(0.25));
        using PageBitmap excluded = Excluded(restored);
        Assert.Equal(800_000 / 4096, excluded.Count());

        Assert.Equal(freed, (nint)restored.Allocate(200_000));
        restored.Free((void*)last);
        Assert.True(restored.Contains(restored.Allocate(60 * MiB)));
        restored.CheckTables();
    }

    [Fact]
    public void Nothing_works_before_the_content_is_adopted_and_it_is_adopted_once()
    {
        Saved saved;
        Arena arena = Make(16 * MiB, at: FixedBase());
        using (new ArenaCloser(arena)) saved = Saved.Of(arena);
        Arena restored = saved.Restore();
        using ArenaCloser restoredCloser = new(restored);
        Assert.Throws<InvalidOperationException>(() => { restored.Allocate(1); });
        restored.Adopt();
        restored.Allocate(1);
        Assert.Throws<InvalidOperationException>(restored.Adopt);
    }

    [Fact]
    public void Restoring_without_content_is_refused()
    {
        ArenaOptions options = new() { Capacity = 16 * MiB };
        Arena empty = Arena.Restore("test", FixedBase(), 512, options);
        using ArenaCloser emptyCloser = new(empty);
        Assert.Equal(SnapshotErrorCode.Corrupt, Assert.Throws<SnapshotException>(empty.Adopt).Code);
        Assert.Equal(
            SnapshotErrorCode.Corrupt,
            Assert.Throws<SnapshotException>(
                () => Arena.Restore("test", FixedBase(), 1 << 20, options)).Code);
    }

    [Theory]
    [InlineData(0, SnapshotErrorCode.Corrupt)]
    [InlineData(8, SnapshotErrorCode.UnsupportedFormat)]
    [InlineData(12, SnapshotErrorCode.Corrupt)]
    [InlineData(16, SnapshotErrorCode.Corrupt)]
    [InlineData(24, SnapshotErrorCode.Corrupt)]
    [InlineData(32, SnapshotErrorCode.Corrupt)]
    [InlineData(40, SnapshotErrorCode.Corrupt)]
    [InlineData(48, SnapshotErrorCode.Corrupt)]
    [InlineData(56, SnapshotErrorCode.Corrupt)]
    [InlineData(64, SnapshotErrorCode.Corrupt)]
    [InlineData(72, SnapshotErrorCode.Corrupt)]
    [InlineData(128, SnapshotErrorCode.Corrupt)]
    [InlineData(4096, SnapshotErrorCode.Corrupt)]
    public void A_damaged_header_is_told(int offset, SnapshotErrorCode code)
    {
        Saved saved = SavedScene();
        Arena restored = saved.Restore(content => content[offset] ^= 0x41);
        using ArenaCloser restoredCloser = new(restored);
        SnapshotException error = Assert.Throws<SnapshotException>(restored.Adopt);
        Assert.Equal(code, error.Code);
        Assert.Contains("'test'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void No_damage_to_the_tables_makes_the_check_crash_or_hang()
    {
        const int Seed = 4711;
        Saved saved = SavedScene();
        Arena restored = saved.Restore();
        using ArenaCloser restoredCloser = new(restored);
        Random random = new(Seed);
        int refused = 0;
        int tables = (int)PageRuns.InitialTablesPages(saved.Capacity / 4096) * 4096;
        for (int i = 0; i < 4_000; i++)
        {
            // Most of the tables is zero: aim at what is not, too.
            int at = random.Next(i % 2 == 0 ? tables : 16_000);
            byte* place = restored.Region.Address + at;
            byte before = *place;
            *place = (byte)random.Next(256);
            try
            {
                restored.CheckTables();
            }
            catch (SnapshotException error)
                when (error.Code is SnapshotErrorCode.Corrupt or SnapshotErrorCode.UnsupportedFormat)
            {
                refused++;
            }

            *place = before;
        }

        Assert.True(refused > 50, $"only {refused} refused (seed {Seed})");
        restored.Adopt();
    }

    [Fact]
    public void A_taken_address_is_told_with_what_is_there()
    {
        Arena there = Make(16 * MiB, name: "in-the-way");
        using ArenaCloser thereCloser = new(there);
        nint inside = there.BaseAddress - 8 * (nint)MiB;
        SnapshotException error = Assert.Throws<SnapshotException>(
            () => Arena.Restore("test", inside, 512, new ArenaOptions { Capacity = 16 * MiB }));
        Assert.Equal(SnapshotErrorCode.AddressTaken, error.Code);
        Assert.Contains($"0x{inside:x}", error.Message, StringComparison.Ordinal);
        Assert.Contains($"{there.BaseAddress:x}-", error.Message, StringComparison.Ordinal);
        error = Assert.Throws<SnapshotException>(
            () => Arena.Create("test", there.BaseAddress, new ArenaOptions()));
        Assert.Equal(SnapshotErrorCode.AddressTaken, error.Code);
    }

    private static Saved SavedScene()
    {
        Arena arena = Make(16 * MiB, at: FixedBase());
        using ArenaCloser arenaCloser = new(arena);
        for (int i = 1; i < 60; i++) arena.Allocate(i * 50);
        void* hole = arena.Allocate(50_000);
        arena.Allocate(50_000);
        arena.Free(hole);
        arena.Root<long>("root") = 5;
        return Saved.Of(arena);
    }
}
