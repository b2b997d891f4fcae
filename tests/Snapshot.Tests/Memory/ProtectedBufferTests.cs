using Snapshot.Base;
using Snapshot.Memory;
using Xunit;

namespace Snapshot.Tests.Memory;

public sealed unsafe class ProtectedBufferTests
{
    [Fact]
    public void A_pinned_array_is_a_region_of_its_bytes()
    {
        double[] array = GC.AllocateArray<double>(1000, pinned: true);
        using ProtectedBuffer buffer = ProtectedBuffer.Of("field", array);
        Assert.Equal("field", buffer.RegionName);
        Assert.Equal(8000, buffer.ByteLength);
        Assert.Equal(8, buffer.ElementSize);
        Assert.Equal(2, buffer.CommittedPages);
        Assert.Equal(2, buffer.CapacityPages);
        ((double*)buffer.Address)[999] = 4;
        Assert.Equal(4, array[999]);
    }

    [Fact]
    public void An_array_of_the_ordinary_heap_stays_where_it_is_while_the_buffer_lives()
    {
        int[] array = new int[100];
        using ProtectedBuffer buffer = ProtectedBuffer.Of("small", array);
        GC.Collect(2, GCCollectionMode.Forced, blocking: true, compacting: true);
        fixed (int* now = array) Assert.True(now == (int*)buffer.Address);
    }

    [Fact]
    public void A_native_range_has_any_address_and_drops_nothing()
    {
        byte* memory = stackalloc byte[5000];
        using ProtectedBuffer buffer = ProtectedBuffer.Of("native", memory + 1, 4097);
        Assert.True(buffer.Address == memory + 1);
        Assert.Equal(2, buffer.CapacityPages);
        using PageBitmap set = new(buffer.CapacityPages);
        buffer.MoveDroppedTo(set);
        Assert.Equal(0, set.Count());
    }

    [Fact]
    public void Wrong_arguments_are_refused()
    {
        Assert.Throws<ArgumentNullException>(() => ProtectedBuffer.Of<int>("x", null!));
        Assert.Throws<ArgumentNullException>(() => ProtectedBuffer.Of("x", null, 1));
        Assert.Throws<ArgumentException>(() => ProtectedBuffer.Of("", new int[1]));
        int value = 0;
        nint address = (nint)(&value);
        Assert.Throws<ArgumentOutOfRangeException>(() => ProtectedBuffer.Of("x", (void*)address, -1));
    }
}
