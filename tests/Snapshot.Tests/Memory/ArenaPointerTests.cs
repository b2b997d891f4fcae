using Xunit;
using static Snapshot.Tests.Memory.ArenaTesting;

namespace Snapshot.Tests.Memory;

/// <summary>Pointers into an arena that are made without unsafe code, and only into it.</summary>
public sealed class ArenaPointerTests
{
    [Fact]
    public void A_reference_to_a_root_its_field_or_an_element_makes_a_pointer_to_the_same()
    {
        Arena arena = Make(16 * MiB);
        using ArenaCloser closer = new(arena);
        ref Pair root = ref arena.Root<Pair>("pair");
        ArenaPointer<Pair> whole = arena.PointerTo(ref root);
        ArenaPointer<long> second = arena.PointerTo(ref root.Second);
        second.Value = 7;
        Assert.Equal(7, whole.Value.Second);
        ArenaArray<long> array = arena.Allocate<long>(10);
        array.PointerTo(9).Value = 8;
        Assert.Equal(8, array[9]);
        Assert.Equal(array.PointerTo(3), arena.PointerTo(ref array[3]));
    }

    [Fact]
    public void What_does_not_lie_in_the_arena_is_refused()
    {
        Arena arena = Make(16 * MiB);
        using ArenaCloser closer = new(arena);
        Arena other = Make(16 * MiB);
        using ArenaCloser otherCloser = new(other);
        long local = 0;
        Refused("not into arena 'test'", () => arena.PointerTo(ref local));
        Refused("not into arena 'test'", () => arena.PointerTo(ref other.Root<long>("elsewhere")));
        long[] managed = [0];
        Refused("not into arena 'test'", () => arena.PointerTo(ref managed[0]));
        ArenaArray<long> array = arena.Allocate<long>(10);
        Assert.Throws<ArgumentOutOfRangeException>(() => array.PointerTo(10));
        Assert.Throws<ArgumentOutOfRangeException>(() => array.PointerTo(-1));
        Assert.Throws<ArgumentOutOfRangeException>(() => default(ArenaArray<long>).PointerTo(0));
    }

    private struct Pair
    {
        public long First;
        public long Second;
    }
}
