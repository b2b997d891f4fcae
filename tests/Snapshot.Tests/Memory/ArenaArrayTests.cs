using System.Numerics.Tensors;
using Xunit;
using static Snapshot.Tests.Memory.ArenaTesting;

namespace Snapshot.Tests.Memory;

public sealed unsafe class ArenaArrayTests
{
    [Fact]
    public void Elements_are_reached_by_index_span_memory_and_tensor()
    {
        Arena arena = Make();
        using ArenaCloser arenaCloser = new(arena);
        ArenaArray<int> array = arena.Allocate<int>(1000);
        array[999] = 7;
        Assert.Equal(7, array.AsSpan()[999]);
        Assert.Equal(7, array.AsSpan(990, 10)[9]);
        Assert.Equal(7, array.AsMemory().Span[999]);
        Assert.Equal(7, array.AsMemory(999, 1).Span[0]);
        TensorSpan<int> tensor = array.AsTensorSpan();
        Assert.Equal(7, tensor[999]);
        tensor[0] = 3;
        Assert.Equal(3, *array.Pointer);
        using System.Buffers.MemoryHandle pin = array.AsMemory().Pin();
        Assert.True(pin.Pointer == array.Pointer);
    }

    [Fact]
    public void Bounds_are_checked()
    {
        Arena arena = Make();
        using ArenaCloser arenaCloser = new(arena);
        ArenaArray<int> array = arena.Allocate<int>(10);
        Assert.Throws<ArgumentOutOfRangeException>(() => array[10]);
        Assert.Throws<ArgumentOutOfRangeException>(() => array[-1]);
        Assert.Throws<ArgumentOutOfRangeException>(() => array.AsSpan(5, 6).Length);
        Assert.Throws<ArgumentOutOfRangeException>(() => array.AsSpan(-1, 1).Length);
        Assert.Throws<ArgumentOutOfRangeException>(() => array.AsMemory(11, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => arena.Allocate<int>(-1));
    }

    [Fact]
    public void An_array_longer_than_a_span_says_to_take_slices()
    {
        Arena arena = Make(4096 * MiB);
        using ArenaCloser arenaCloser = new(arena);
        ArenaArray<byte> array = arena.Allocate<byte>(int.MaxValue + 10L);
        Assert.Contains(
            "slices", Assert.Throws<InvalidOperationException>(() => array.AsSpan().Length).Message,
            StringComparison.Ordinal);
        Assert.Throws<InvalidOperationException>(() => array.AsMemory());
        array[int.MaxValue + 9L] = 1;
        Assert.Equal(1, array.AsSpan(int.MaxValue, 10)[9]);
        Assert.Equal(int.MaxValue + 10L, (long)array.AsTensorSpan().FlattenedLength);
    }

    [Fact]
    public void An_empty_array_is_the_default_and_freeing_it_does_nothing()
    {
        Arena arena = Make();
        using ArenaCloser arenaCloser = new(arena);
        ArenaArray<int> array = arena.Allocate<int>(0);
        Assert.True(array.IsEmpty);
        Assert.Equal(default, array);
        Assert.Equal(0, array.AsSpan().Length);
        arena.Free(array);
        Assert.Equal(0, arena.Exclude(array));
        Assert.Equal(0, arena.Include(array));
    }

    [Fact]
    public void An_array_may_itself_lie_in_an_arena()
    {
        Arena arena = Make();
        using ArenaCloser arenaCloser = new(arena);
        ArenaArray<ArenaArray<double>> rows = arena.Allocate<ArenaArray<double>>(3);
        rows[1] = arena.Allocate<double>(5);
        rows[1][4] = 2;
        Assert.Equal(2, rows[1].AsSpan()[4]);
        Assert.True(rows[0].IsEmpty);
        Assert.Equal(5, rows[1].Length);
    }
}
