using Snapshot.Fuzz.Forging;
using Snapshot.Image;
using Snapshot.Storage;

namespace Snapshot.Fuzz.Targets;

/// <summary>
/// A chain of images, newest first: opened, every block read, described, flattened. Checksums are right.
/// </summary>
internal sealed class ImageTarget() : FuzzTarget(
    "image", SnapshotErrorCode.Corrupt, SnapshotErrorCode.UnsupportedFormat, SnapshotErrorCode.ChainBroken)
{
    [ThreadStatic]
    private static BlockScratch? s_scratch;

    protected override byte[][] Expand(byte[] input) => CompactImages.Expand(input);

    protected override void Read(byte[][] files)
    {
        List<ImageReader> chain = [];
        try
        {
            foreach (byte[] file in files) chain.Add(ImageReader.Open(new MemorySource(file)));
            foreach (ImageReader image in chain) ReadImage(image);
            for (int i = 1; i < chain.Count; i++) ChainMap.CheckLink(chain[i - 1], chain[i]);
            if (chain.Count > 0) CheckMap(ChainMap.Build(chain), chain);
        }
        finally
        {
            foreach (ImageReader image in chain) image.Dispose();
        }
    }

    private static void ReadImage(ImageReader image)
    {
        ImageHeader header = image.Header;
        GenerationInfo info = new(
            header.Generation, header.Parent?.Generation, GenerationKind.Full, header.Created, image.Name,
            image.Length,
            header.ImageId);
        _ = ImageDescriber.Describe(info, image);
        foreach (ImageRegion region in image.Regions) CheckRegion(region.Description);
        s_scratch ??= new BlockScratch();
        s_scratch.Owner = null;
        for (int place = 0; place < image.Blocks.Length; place++)
        {
            int block = image.BlockInFile(place);
            int pages = image.ReadBlock(block, s_scratch).Length / ImageFormat.PageSize;
            Require(pages == image.Blocks[block].PageCount, "a block has as many pages as its entry says");
        }
    }

    /// <summary>A restart hands these to what refuses them by exceptions of its own.</summary>
    private static void CheckRegion(RegionDescription region)
    {
        Require(region.Name.Length > 0, "regions have names");
        if (region.Kind != RegionKind.Arena) return;
        ArenaOptions options = new() { Capacity = region.CapacityBytes };
        Require(options.Capacity == region.CapacityBytes, "an arena has a capacity that arenas can have");
        Require(region.BaseAddress % (2 << 20) == 0, "an arena begins at a multiple of 2 MiB");
        Require(
            region.CommittedPages << 12 <= region.CapacityBytes,
            "an arena has no more pages than its capacity");
    }

    private static void CheckMap(ChainMap map, List<ImageReader> chain)
    {
        foreach (ChainRegion region in map.Regions)
        {
            long page = 0;
            foreach (ref readonly ChainRun run in region.Runs)
            {
                Require(run.FirstPage == page && run.PageCount > 0, "runs leave no gap");
                Require(run.Kind != ExtentKind.InParent, "every page is found");
                if (run.Kind == ExtentKind.Present)
                {
                    Require(chain[run.Image].BlockOf(run.FirstOrdinal) >= 0, "the first page is in a block");
                    Require(
                        chain[run.Image].BlockOf(run.FirstOrdinal + run.PageCount - 1) >= 0,
                        "so is the last one");
                }

                page += run.PageCount;
            }

            Require(page == region.Description.CommittedPages, "runs cover the region");
        }
    }
}
