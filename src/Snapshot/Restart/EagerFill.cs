using System.Runtime.ExceptionServices;
using Snapshot.Base;
using Snapshot.Image;
using Snapshot.Interop;

namespace Snapshot.Restart;

/// <summary>
/// Fills memory from a plan with all cores: each block is read once, verified, decoded, and its wanted pages
/// copied.
/// </summary>
/// <remarks>
/// Each image is read by all threads in runs of neighbouring blocks. The first failure stops them and is
/// thrown; the caller then drops the memory, so nothing half-restored is ever seen. Files are read by the C
/// part, as a lazy restart reads them: it is as fast in the first moment of a process, where compiled code
/// has yet to be optimized, as later. Images of a store that is not a directory are read here.
/// </remarks>
internal static unsafe class EagerFill
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
        if (plan.Chain.All(image => image.File is not null)) return RunNative(plan, targets, threads, only);
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

    private static long RunNative(
        RestartPlan plan, IReadOnlyList<FillTarget> targets, int threads, RegionKind? only)
    {
        using FillTables tables = FillTables.Build(plan, targets, only);
        FillState* state = tables.State;
        state->Userfault = -1;
        int[] errors = new int[Math.Clamp((int)state->BlockCount, 1, threads)];
        List<Thread> readers = [];
        try
        {
            for (int index = 0; index < errors.Length; index++)
            {
                int mine = index;
                Thread reader = new(() => errors[mine] = Native.sn_fill_stream(state))
                { Name = $"snapshot fill {index}", IsBackground = true };
                reader.Start();
                readers.Add(reader);
            }
        }
        catch
        {
            // Those that run write memory, and read tables, that are gone after this.
            _ = Native.sn_fill_stop_streaming(state);
            throw;
        }
        finally
        {
            foreach (Thread reader in readers) reader.Join();
        }

        if (tables.FailureOf(plan) is { } failure) throw failure;
        if (state->Remaining > 0)
            throw NativeError.ForMemory(errors.Max(), "mmap of a buffer", "Leave more memory free.");
        return tables.PageCount;
    }

    private static void FillImage(
        ImageReader image, FillRun[] runs, IReadOnlyList<FillTarget> targets, int threads)
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

    /// <summary>
    /// The index of the first run that ends after an ordinal; runs are sorted and disjoint.
    /// </summary>
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
