using Snapshot.Base;
using Snapshot.Image;
using Snapshot.Restart;

namespace Snapshot.Tests.Session;

/// <summary>Reads the memory of a region as a generation has it, without mapping it.</summary>
internal static class StoredMemory
{
    internal static byte[] Read(SnapshotStore store, long generation, string region)
    {
        using RestartPlan plan = RestartPlan.Make(store, generation);
        using BlockScratch scratch = new();
        ChainRegion found = plan.Regions.Single(candidate => candidate.Description.Name == region);
        byte[] content = new byte[Pages.Bytes(found.Description.CommittedPages)];

        // The last block of each image, since runs of a long chain go from one image to the next and back.
        Dictionary<int, (int Block, byte[] Content)> last = [];
        foreach (ChainRun run in found.Runs.ToArray())
        {
            if (run.Kind != ExtentKind.Present) continue;
            ImageReader image = plan.Chain[run.Image];
            for (long page = 0, count; page < run.PageCount; page += count)
            {
                int block = image.BlockOf(run.FirstOrdinal + page);
                long inBlock = run.FirstOrdinal + page - image.Blocks[block].FirstOrdinal;
                count = Math.Min(run.PageCount - page, image.Blocks[block].PageCount - inBlock);
                if (!last.TryGetValue(run.Image, out (int Block, byte[] Content) read) || read.Block != block)
                    last[run.Image] = read = (block, image.ReadBlock(block, scratch).ToArray());
                read.Content.AsSpan((int)Pages.Bytes(inBlock), (int)Pages.Bytes(count))
                    .CopyTo(content.AsSpan((int)Pages.Bytes(run.FirstPage + page)));
            }
        }

        return content;
    }
}
