using Snapshot.Base;
using Snapshot.Memory;
using Xunit;
using static Snapshot.Tests.Memory.ArenaTesting;

#pragma warning disable CS0649 // Fields that only have a layout.

namespace Snapshot.Tests.Memory;

public sealed unsafe class ArenaRootTests
{
    private struct State
    {
        public double Time;
        public long Step;
        public ArenaArray<double> Field;
    }

    private struct Renamed
    {
        public double Time;
        public long Step;
        public ArenaArray<double> Field;
    }

    private struct Reordered
    {
        public long Step;
        public double Time;
        public ArenaArray<double> Field;
    }

    [Fact]
    public void A_root_is_made_zeroed_and_found_again()
    {
        Arena arena = Make();
        using ArenaCloser arenaCloser = new(arena);
        ref State state = ref arena.Root<State>("state");
        Assert.Equal(0, state.Time);
        Assert.True(state.Field.IsEmpty);
        state.Time = 1.5;
        state.Field = arena.Allocate<double>(10);
        Assert.Equal(1.5, arena.Root<State>("state").Time);
        Assert.Equal(0, (nint)arena.RootPointer<State>("state") % 64);
        Assert.Equal(1.5, arena.Root<Renamed>("state").Time);
    }

    [Fact]
    public void An_array_root_keeps_its_length_and_another_is_refused()
    {
        Arena arena = Make();
        using ArenaCloser arenaCloser = new(arena);
        ArenaArray<float> field = arena.RootArray<float>("field", 1_000_000);
        field[999_999] = 3;
        Assert.Equal(field, arena.RootArray<float>("field", 1_000_000));
        SnapshotException error =
            Assert.Throws<SnapshotException>(() => arena.RootArray<float>("field", 999));
        Assert.Equal(SnapshotErrorCode.LayoutMismatch, error.Code);
        Assert.Contains("1,000,000 elements", error.Message, StringComparison.Ordinal);
        Assert.Contains("999", error.Message, StringComparison.Ordinal);
        Assert.True(arena.TryGetRoot("field", out ArenaArray<float> found));
        Assert.Equal(field, found);
        Assert.False(arena.TryGetRoot("other", out ArenaArray<float> none));
        Assert.True(none.IsEmpty);
    }

    [Fact]
    public void Roots_are_listed_in_order_and_removed_by_name()
    {
        Arena arena = Make();
        using ArenaCloser arenaCloser = new(arena);
        arena.RootArray<double>("b", 7);
        arena.Root<int>("a") = 1;
        arena.RootArray<byte>("ä", 20_000);
        Assert.Equal(["b", "a", "ä"], arena.Roots.Select(root => root.Name));
        ArenaRoot first = arena.Roots[0];
        Assert.Equal(("System.Double", 7L, 56L), (first.TypeName, first.Count, first.Bytes));
        Assert.Equal((nint)arena.RootArray<double>("b", 7).Pointer, arena.BaseAddress + (nint)first.Offset);

        Assert.True(arena.RemoveRoot("a"));
        Assert.False(arena.RemoveRoot("a"));
        Assert.Equal(["b", "ä"], arena.Roots.Select(root => root.Name));
        Assert.True(arena.RemoveRoot("b"));
        Assert.True(arena.RemoveRoot("ä"));
        Assert.Empty(arena.Roots);
        Assert.Equal(0, arena.AllocatedBytes);
        Assert.Equal(0, arena.Root<int>("a"));
        arena.CheckTables();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(100_000)]
    public void A_root_cannot_be_freed_by_pointer(int count)
    {
        Arena arena = Make();
        using ArenaCloser arenaCloser = new(arena);
        ArenaArray<long> root = arena.RootArray<long>("root", count);
        Refused("root", () => arena.Free(root));
        Assert.Equal(root, arena.RootArray<long>("root", count));
    }

    [Fact]
    public void A_root_of_another_layout_is_refused_naming_field_and_offsets()
    {
        Arena arena = Make();
        using ArenaCloser arenaCloser = new(arena);
        arena.Root<State>("state").Step = 1;
        SnapshotException error = Assert.Throws<SnapshotException>(() => { arena.Root<Reordered>("state"); });
        Assert.Equal(SnapshotErrorCode.LayoutMismatch, error.Code);
        Assert.Contains("'Time'", error.Message, StringComparison.Ordinal);
        Assert.Contains(
            "Double at offset 0 (8 bytes), is now Double at offset 8", error.Message,
            StringComparison.Ordinal);
        Assert.Throws<SnapshotException>(() => arena.TryGetRoot("state", out ArenaArray<double> _));
    }

    [Fact]
    public void A_full_arena_makes_no_root()
    {
        Arena arena = Make(4 * MiB);
        using ArenaCloser arenaCloser = new(arena);
        arena.Allocate(2 * MiB);
        arena.Allocate(MiB);
        byte[] before = Bytes(arena);
        Full(() => arena.RootArray<double>("field", 100_000));
        Assert.True(Bytes(arena).AsSpan().SequenceEqual(before));
        Assert.Empty(arena.Roots);
    }

    [Fact]
    public void A_root_without_a_name_or_with_an_endless_one_is_refused()
    {
        Arena arena = Make();
        using ArenaCloser arenaCloser = new(arena);
        Assert.Throws<ArgumentException>(() => { arena.Root<int>(""); });
        Assert.Throws<ArgumentException>(() =>
        {
            arena.Root<int>(
            new string('x', RecordedName.MaxBytes + 1));
        });
        Assert.Throws<ArgumentOutOfRangeException>(() => arena.RootArray<int>("x", -1));
        arena.Root<int>(new string('x', RecordedName.MaxBytes)) = 4;
    }
}
