using System.Runtime.ExceptionServices;
using Snapshot.Base;
using Snapshot.Image;

namespace Snapshot.Restart;

/// <summary>
/// Fills memory from a plan with all cores: each block is read once, verified, decoded, and its wanted pages copied.
/// </summary>
/// <remarks>
/// Images are read oldest first, each by all threads in runs of neighbouring blocks. The first failure stops them and
/// is thrown; the caller then drops the memory, so nothing half-restored is ever seen.
/// </remarks>
internal static class EagerFill
{
    /// <summary>Returns the number of pages filled.</summary>
    /// <param name="plan">What to read.</param>
    /// <param name="targets">Where it goes, for each region of the plan.</param>
    /// <param name="threads">How many read.</param>
    /// <param name="only">Regions of this kind alone; null for all.</param>
    /// <exception cref="SnapshotException">Corrupt, StoreIo.</exception>
    internal static long Run(
        RestartPlan plan, IReadOnlyList<FillTarget> targets, int threads, RegionKind? only = null)
    {
        long filled = 0;
        for (int image = plan.Chain.Count - 1; image >= 0; image--)
        {
            FillRun[] runs = plan.RunsOf(image, only);
            if (runs.Length == 0) continue;
            FillImage(plan.Chain[image], runs, targets, threads);
            filled += runs.Sum(run => run.Target.Count);
        }

        return filled;
    }

    private static void FillImage(ImageReader image, FillRun[] runs, IReadOnlyList<FillTarget> targets, int threads)
    {
        int first = image.BlockOf(runs[0].FirstOrdinal);
        int last = image.BlockOf(runs[^1].EndOrdinal - 1);
        try
        {
            Parallel.For(
                first,
                last + 1,
                new ParallelOptions { MaxDegreeOfParallelism = threads },
                static () => new BlockScratch(),
                (block, _, scratch) =>
                {
                    FillBlock(image, block, runs, targets, scratch);
                    return scratch;
                },
                static scratch => scratch.Dispose());
        }
        catch (AggregateException failures)
        {
            // Several blocks may be damaged; the first one found is the answer.
            ExceptionDispatchInfo.Throw(failures.InnerExceptions[0]);
        }
    }

    private static void FillBlock(
        ImageReader image, int block, FillRun[] runs, IReadOnlyList<FillTarget> targets, BlockScratch scratch)
    {
        ImageBlock entry = image.Blocks[block];
        long end = entry.FirstOrdinal + entry.PageCount;
        int run = FirstEndingAfter(runs, entry.FirstOrdinal);
        if (run == runs.Length || runs[run].FirstOrdinal >= end) return;
        ReadOnlySpan<byte> pages = image.ReadBlock(block, scratch);
        for (; run < runs.Length && runs[run].FirstOrdinal < end; run++)
        {
            long from = Math.Max(runs[run].FirstOrdinal, entry.FirstOrdinal);
            long to = Math.Min(runs[run].EndOrdinal, end);
            targets[runs[run].Region].Put(
                runs[run].Target.Start + (from - runs[run].FirstOrdinal),
                pages.Slice((int)Pages.Bytes(from - entry.FirstOrdinal), (int)Pages.Bytes(to - from)));
        }
    }

    /// <summary>The index of the first run that ends after an ordinal; runs are sorted and disjoint.</summary>
    private static int FirstEndingAfter(FillRun[] runs, long ordinal)
    {
        int low = 0, high = runs.Length;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (runs[middle].EndOrdinal > ordinal) high = middle;
            else low = middle + 1;
        }

        return low;
    }
}
