using CsCheck;
using Snapshot.Image;
using Xunit;

namespace Snapshot.Tests.Image;

public sealed class ChainMapTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_chain_of_increments_restores_the_memory_of_every_generation(bool inUnits) =>
        Gen.Select(Gen.Int, Gen.Int[1, 3], Gen.Int[0, 200], Gen.Int[1, 7]).Sample(
            (seed, regions, pages, length) =>
            {
                MemoryModel memory = new(seed, regions, pages);
                List<ImageReader> newestFirst = [];
                ImageLink? parent = null;
                for (int generation = 1; generation <= length; generation++)
                {
                    if (generation > 1) memory.Mutate();
                    Guid id = new(generation, 0, 0, new byte[8]);
                    ImageHeader header = new(id, generation, parent, SampleImage.Created);
                    byte[] file = SampleImage.Write(header, BlockEncoding.Auto, writer =>
                    {
                        if (inUnits) memory.WriteInUnits(writer, full: generation == 1, seed ^ generation);
                        else memory.WriteTo(writer, full: generation == 1);
                    });
                    newestFirst.Insert(0, ImageReader.Open(new MemoryFile(file)));
                    parent = new ImageLink(id, generation);
                    MemoryModel.AssertSame(memory.Content(), MemoryModel.Restore(newestFirst));
                    if (generation > 1) ChainMap.CheckLink(newestFirst[0], newestFirst[1]);
                }
            },
            seed: "0N0XIzNsQ0O2",
            iter: 25);

    [Fact]
    public void A_chain_that_lacks_its_end_is_broken()
    {
        using ImageReader image =
            ImageReader.Open(new MemoryFile(SampleImage.Incremental(BlockEncoding.None)));
        SnapshotException error = Assert.Throws<SnapshotException>(() => ChainMap.Build([image]));
        Assert.Equal(SnapshotErrorCode.ChainBroken, error.Code);
        Assert.Equal(image.Name, error.Path);
    }

    [Fact]
    public void A_parent_without_the_pages_of_its_child_is_a_broken_chain()
    {
        using ImageReader child =
            ImageReader.Open(new MemoryFile(SampleImage.Incremental(BlockEncoding.None)));
        byte[] small = SampleImage.Write(SampleImage.FullHeader, BlockEncoding.None, writer =>
        {
            writer.BeginRegion(SampleImage.Arena(5));
            writer.Append(ExtentKind.Zero, 5);
        });
        using ImageReader parent = ImageReader.Open(new MemoryFile(small));
        Assert.Equal(
            SnapshotErrorCode.ChainBroken,
            Assert.Throws<SnapshotException>(() => ChainMap.Build([child, parent])).Code);
        Assert.Equal(
            SnapshotErrorCode.ChainBroken,
            Assert.Throws<SnapshotException>(() => ChainMap.CheckLink(child, parent)).Code);
    }

    [Fact]
    public void Every_ordinal_finds_its_block()
    {
        byte[] bytes = SampleImage.Write(SampleImage.FullHeader, BlockEncoding.None, writer =>
        {
            writer.BeginRegion(SampleImage.Arena(200));
            writer.AppendPages(SampleImage.Noise(200, 1), 0);
        });
        using ImageReader image = ImageReader.Open(new MemoryFile(bytes));
        for (int ordinal = 0; ordinal < 200; ordinal++) Assert.Equal(ordinal / 64, image.BlockOf(ordinal));
        Assert.Throws<ArgumentOutOfRangeException>(() => image.BlockOf(200));
    }
}
