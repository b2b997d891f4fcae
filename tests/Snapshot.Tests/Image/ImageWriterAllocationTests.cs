using Snapshot.Image;
using Xunit;

namespace Snapshot.Tests.Image;

/// <summary>Runs alone: it measures what all threads of the process allocate.</summary>
[CollectionDefinition(nameof(ImageWriterAllocationTests), DisableParallelization = true)]
[Collection(nameof(ImageWriterAllocationTests))]
public sealed class ImageWriterAllocationTests
{
    [Theory]
    [InlineData(BlockEncoding.None)]
    [InlineData(BlockEncoding.Auto)]
    public void Appending_does_not_allocate_per_page(BlockEncoding encoding)
    {
        const int Rounds = 200;
        NowhereSink sink = new();
        using ImageWriter writer = new(
            sink, SampleImage.FullHeader, new ImageWriterOptions { Encoding = encoding, EncoderThreads = 1 });
        writer.BeginRegion(SampleImage.Arena(64 * 64 + Rounds * 64));
        byte[] pages = [.. SampleImage.Smooth(32), .. SampleImage.Noise(32, 1)];
        for (int i = 0; i < 64; i++) writer.AppendPages(pages, 8);
        long before = GC.GetTotalAllocatedBytes(precise: true);
        for (int i = 0; i < Rounds; i++) writer.AppendPages(pages, 8);
        long allocated = GC.GetTotalAllocatedBytes(precise: true) - before;
        writer.Complete(SampleImage.Metadata);

        // The lists of blocks and the test runner itself allocate a little; a buffer per block would be 50
        // MB.
        Assert.InRange(allocated, 0, 200_000);
    }

    private sealed class NowhereSink : IImageSink
    {
        public string Name => "nowhere";

        public void Write(IReadOnlyList<ReadOnlyMemory<byte>> segments, long offset)
        {
        }
    }
}
