using Snapshot.Base;
using Snapshot.Interop;
using Snapshot.TestPrograms;
using Snapshot.Tests.Profiles;
using Xunit;

namespace Snapshot.Tests.Interop;

/// <summary>What is mapped where, asked of the kernel and read out of its text.</summary>
public sealed unsafe class MappingLookupTests
{
    private const long Bytes = 8 * Pages.Size;

    [MachineTheory]
    [InlineData(true)]
    [InlineData(false)]
    public void Ranges_are_what_their_mappings_are_together(bool asks)
    {
        using MappingLookup lookup = MappingLookup.TryOpen(asks)!;
        Assert.NotNull(lookup);
        int file = LibC.MemoryFile(Bytes);
        byte* at = LibC.MapApart(Bytes);
        Assert.Equal(MappingKinds.Readable, Of(0, 8));
        LibC.Map(Pages.Size, LibC.Shared | LibC.Fixed, file, at + (6 * Pages.Size));
        LibC.Map(Pages.Size, LibC.Private | LibC.Fixed, file, at + (7 * Pages.Size));
        lookup.Forget();
        Assert.Equal(MappingKinds.Readable, Of(0, 6));
        Assert.Equal(MappingKinds.Readable | MappingKinds.Shared | MappingKinds.File, Of(0, 7));
        Assert.Equal(MappingKinds.Readable | MappingKinds.File, Of(7, 8));

        LibC.Protect(at + (3 * Pages.Size), Pages.Size, LibC.NoAccess);
        lookup.Forget();
        Assert.Equal(MappingKinds.None, GapIn(0, 8, out ulong gap));
        Assert.Equal((ulong)at + (3 * Pages.Size), gap);
        LibC.Unmap(at + (2 * Pages.Size), Pages.Size);
        lookup.Forget();
        Assert.Equal(MappingKinds.None, GapIn(1, 8, out gap));
        Assert.Equal((ulong)at + (2 * Pages.Size), gap);
        Assert.Equal(MappingKinds.Readable, Of(0, 2));
        Assert.Equal(MappingKinds.None, Of(2, 3));
        LibC.Unmap(at, Bytes);
        _ = LibC.close(file);

        MappingKinds Of(int first, int end) => GapIn(first, end, out _);

        MappingKinds GapIn(int first, int end, out ulong gap) => lookup.Of(
            (ulong)at + (ulong)Pages.Bytes(first), (ulong)at + (ulong)Pages.Bytes(end), out gap);
    }

    /// <summary>A pause does not pay for the list more than once.</summary>
    [Fact]
    public void The_text_is_read_once_until_it_is_forgotten()
    {
        using MappingLookup lookup = MappingLookup.TryOpen(asks: false)!;
        byte* at = LibC.MapApart(Bytes);
        ulong start = (ulong)at, end = start + Bytes;
        Assert.Equal(MappingKinds.Readable, lookup.Of(start, end, out _));
        LibC.Unmap(at, Bytes);
        Assert.Equal(MappingKinds.Readable, lookup.Of(start, end, out _));
        lookup.Forget();
        Assert.Equal(MappingKinds.None, lookup.Of(start, end, out _));
    }

    [MachineFact]
    [Needs(Capability.PagemapScan)]
    public void Looking_allocates_nothing()
    {
        foreach (bool asks in (bool[])[true, false])
        {
            using MappingLookup lookup = MappingLookup.TryOpen(asks)!;
            byte* at = LibC.MapApart(Bytes);
            ulong start = (ulong)at, end = start + Bytes;
            _ = lookup.Of(start, end, out _);
            lookup.Forget();
            long before = GC.GetAllocatedBytesForCurrentThread();
            _ = lookup.Of(start, end, out _);
            Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
            LibC.Unmap(at, Bytes);
        }
    }
}
