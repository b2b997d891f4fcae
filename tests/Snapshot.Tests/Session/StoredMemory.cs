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
        foreach (ChainRun run in found.Runs.ToArray())
        {
            if (run.Kind != ExtentKind.Present) continue;
            ImageReader image = plan.Chain[run.Image];
            for (long page = 0, count; page < run.PageCount; page += count)
            {
                int block = image.BlockOf(run.FirstOrdinal + page);
                long inBlock = run.FirstOrdinal + page - image.Blocks[block].FirstOrdinal;
                count = Math.Min(run.PageCount - page, image.Blocks[block].PageCount - inBlock);
                image.ReadBlock(block, scratch).Slice((int)Pages.Bytes(inBlock), (int)Pages.Bytes(count))
                    .CopyTo(content.AsSpan((int)Pages.Bytes(run.FirstPage + page)));
            }
        }

        return content;
    }
}
