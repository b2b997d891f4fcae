using System.Runtime.InteropServices;
using Snapshot.Memory;
using Xunit;

namespace Snapshot.Tests.Memory;

/// <summary>Pins what is part of the image: changing one of these needs a new format version.</summary>
public sealed unsafe class ArenaLayoutTests
{
    [Theory]
    [InlineData(nameof(ArenaHeader.Magic), 0)]
    [InlineData(nameof(ArenaHeader.FormatVersion), 8)]
    [InlineData(nameof(ArenaHeader.HeaderBytes), 12)]
    [InlineData(nameof(ArenaHeader.Base), 16)]
    [InlineData(nameof(ArenaHeader.CapacityPages), 24)]
    [InlineData(nameof(ArenaHeader.CommittedPages), 32)]
    [InlineData(nameof(ArenaHeader.ChunkCount), 40)]
    [InlineData(nameof(ArenaHeader.FreePages), 48)]
    [InlineData(nameof(ArenaHeader.AllocatedBytes), 56)]
    [InlineData(nameof(ArenaHeader.FirstRoot), 64)]
    [InlineData(nameof(ArenaHeader.RootCount), 72)]
    [InlineData(nameof(ArenaHeader.FreeListMask), 128)]
    [InlineData(nameof(ArenaHeader.FreeLists), 256)]
    [InlineData(nameof(ArenaHeader.SlabLists), 1024)]
    public void A_field_of_the_header_keeps_its_offset(string field, int offset) =>
        Assert.Equal(offset, Marshal.OffsetOf<ArenaHeader>(field));

    [Fact]
    public void Structures_keep_their_sizes()
    {
        Assert.Equal(4096, sizeof(ArenaHeader));
        Assert.Equal(32, sizeof(PageDescriptor));
        Assert.Equal(32, sizeof(ChunkEntry));
        Assert.Equal(64, sizeof(RootEntry));
        Assert.Equal(129, PageTable.TablesPages);
        Assert.Equal(16, sizeof(ArenaArray<double>));
    }

    [Fact]
    public void Descriptors_and_root_entries_keep_their_offsets()
    {
        Assert.Equal(
            [0, 1, 2, 4, 8, 12, 16, 20],
            Offsets<PageDescriptor>(
                "Kind", "SizeClass", "IsRoot", "PageCount", "Previous", "Next", "ElementSize", "UsedCells"));
        Assert.Equal([0, 8, 16], Offsets<ChunkEntry>("TablesOffset", "CoveringRun", "ExcludedPages"));
        Assert.Equal(
            [0, 8, 16, 24, 32, 36, 40],
            Offsets<RootEntry>(
                "Next", "DataOffset", "Count", "ElementBytes", "NameBytes", "TypeBytes", "LayoutBytes"));
    }

    [Fact]
    public void Run_kinds_keep_their_numbers() =>
        Assert.Equal([0, 1, 2, 3, 4, 5], Enum.GetValues<RunKind>().Select(kind => (int)kind));

    [Fact]
    public void Every_size_has_the_smallest_class_that_holds_it()
    {
        for (int sizeClass = 1; sizeClass < SizeClasses.Count; sizeClass++)
            Assert.True(SizeClasses.Bytes(sizeClass) > SizeClasses.Bytes(sizeClass - 1));
        Assert.Equal(SizeClasses.MaxBytes, SizeClasses.Bytes(SizeClasses.Count - 1));
        for (int bytes = 1; bytes <= SizeClasses.MaxBytes; bytes++)
        {
            int sizeClass = SizeClasses.Holding(bytes);
            Assert.True(SizeClasses.Bytes(sizeClass) >= bytes, $"{bytes} bytes do not fit");
            Assert.True(
                sizeClass == 0 || SizeClasses.Bytes(sizeClass - 1) < bytes,
                $"{bytes} bytes fit a smaller class");
        }
    }

    [Fact]
    public void Every_run_length_has_a_list_and_longer_runs_have_no_earlier_one()
    {
        int last = RunBins.ListFor(1);
        Assert.Equal(0, last);
        for (long pages = 2; pages <= ArenaOptions.MaxCapacity / 4096; pages += Math.Max(pages / 50, 1))
        {
            int list = RunBins.ListFor(pages);
            Assert.InRange(list, last, last + 1);
            last = list;
        }

        Assert.InRange(RunBins.ListFor(ArenaOptions.MaxCapacity / 4096), 0, ArenaHeader.FreeListCount - 1);
    }

    private static int[] Offsets<T>(params string[] fields) =>
        [.. fields.Select(field => (int)Marshal.OffsetOf<T>(field))];
}
