using Snapshot.Image;
using Xunit;

namespace Snapshot.Tests.Image;

public sealed unsafe class BlockPoolTests
{
    private const int SlabBytes = 2 << 20;
    private const int BlocksOfASlab = SlabBytes / ImageFormat.BlockBytesMax;

    [Fact]
    public void Each_slab_is_aligned_and_prepared_once_before_blocks_come_from_it()
    {
        List<(nint Address, int Length)> slabs = [];
        using BlockPool pool = new((address, length) => slabs.Add((address, length)));
        BlockBuffer[] blocks = [.. Enumerable.Range(0, BlocksOfASlab + 1).Select(_ => pool.Take())];
        Assert.Equal([SlabBytes, SlabBytes], slabs.Select(slab => slab.Length));
        Assert.All(slabs, slab => Assert.Equal(0, slab.Address % SlabBytes));
        Assert.All(blocks, block => Assert.Contains(
            slabs, slab => (nint)block.Pages.Pointer >= slab.Address
                && (nint)block.Pages.Pointer + block.Pages.Length <= slab.Address + slab.Length));
        Assert.Equal(blocks.Length, blocks.Select(block => (nint)block.Pages.Pointer).Distinct().Count());
    }

    [Fact]
    public void What_was_returned_is_taken_again_with_nothing_in_it()
    {
        using BlockPool pool = new();
        BlockBuffer first = pool.Take();
        first.PageCount = 3;
        pool.Return(first);
        BlockBuffer again = pool.Take();
        Assert.Same(first, again);
        Assert.Equal(0, again.PageCount);
        Assert.NotSame(first, pool.Take());
    }

    [Fact]
    public void Images_written_one_after_the_other_share_its_blocks()
    {
        int slabs = 0;
        using BlockPool pool = new((_, _) => slabs++);
        ImageWriterOptions options = new() { Pool = pool, EncoderThreads = 1 };
        int[] after = new int[3];
        for (int image = 0; image < after.Length; image++)
        {
            MemoryFile file = new();
            using (ImageWriter writer = new(file, SampleImage.FullHeader, options))
            {
                writer.BeginRegion(SampleImage.Arena(200));
                writer.AppendPages(SampleImage.Noise(200, (uint)image), 0);
                writer.Complete(SampleImage.Metadata with { Roots = [] });
            }

            after[image] = slabs;
            using ImageReader read = ImageReader.Open(new MemoryFile(file.Bytes));
            using BlockScratch scratch = new();
            Assert.Equal(
                SampleImage.Noise(200, (uint)image),
                Enumerable.Range(0, read.Blocks.Length).SelectMany(
                    block => read.ReadBlock(block, scratch).ToArray()));
        }

        Assert.InRange(after[0], 1, int.MaxValue);
        Assert.Equal(after[0], after[^1]);
    }
}
