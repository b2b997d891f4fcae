using Snapshot.Mpi.Manifest;
using Snapshot.Tool.Output;

namespace Snapshot.Tool.Commands;

/// <summary>What a pruning of a job deleted, or would delete.</summary>
/// <param name="DryRun">True when nothing was deleted.</param>
/// <param name="Deleted">The generations of the job that go.</param>
/// <param name="Kept">Those that stay.</param>
/// <param name="Images">Images that were deleted, of all stores that are here; 0 in a dry run.</param>
/// <param name="BytesFreed">The length of their files.</param>
internal sealed record JobPruneResult(
    bool DryRun, IReadOnlyList<long> Deleted, IReadOnlyList<long> Kept, long Images, long BytesFreed);

/// <summary><c>snapshot prune JOB --keep-last N</c>: old generations of a job, in the stores that are here.
/// </summary>
internal static class JobPruning
{
    internal static async Task<int> RunAsync(
        ToolConsole console, JobSurvey job, RetentionPolicy policy, bool dryRun, double wait, bool json,
        CancellationToken cancellation)
    {
        if (policy.KeepEvery > 0)
        {
            throw new SnapshotException(
                SnapshotErrorCode.Unsupported,
                $"{job.Places.Directory} is the directory of a job, of which the newest generations are " +
                "kept: give --keep-last alone.");
        }

        // What survives the loss of a host stays, as it does while the job runs.
        IReadOnlyList<JobEntry> all = job.Manifest.Entries;
        JobEntry? copied = all.LastOrDefault(entry => entry.Levels.HasFlag(JobLevels.Partner));
        JobEntry[] kept = [.. all.Where(
            (entry, index) => index >= all.Count - policy.KeepLast || entry == copied
                || entry.Generation == job.Manifest.RestartGeneration)];
        long images = 0, bytes = 0;
        if (!dryRun && kept.Length > 0)
        {
            using HeldJob held = new(console, job, wait);
            held.Write(job.Manifest with { Entries = kept });
            foreach ((int rank, SnapshotStore store) in held.Stores)
            {
                IReadOnlyList<GenerationInfo> gone = await store.PruneAsync(
                    new RetentionPolicy
                    {
                        KeepLast = NewerThan(kept[0].Images[rank], store),
                        KeepPassedOver = policy.KeepPassedOver,
                    },
                    progress: null, cancellation);
                images += gone.Count;
                bytes += gone.Sum(image => image.FileBytes);
            }
        }

        JobPruneResult result = new(
            dryRun, [.. all.Except(kept).Select(entry => entry.Generation)],
            [.. kept.Select(entry => entry.Generation)], images, bytes);
        if (json) console.WriteJson(result, ToolJson.Default.JobPruneResult);
        else Print(console, result);
        return ExitCode.Fine;
    }

    /// <summary>How many of the newest images stay: those from the oldest kept one on.</summary>
    private static int NewerThan(RankImage oldest, SnapshotStore store) => Math.Max(
        1, store.Generations.Count(info => !info.IsPassedOver && info.Generation >= oldest.Generation));

    private static void Print(ToolConsole console, JobPruneResult result)
    {
        string freed = result.DryRun
            ? ""
            : $", {Readable.Count(result.Images, "image")} of ranks, {Readable.Bytes(result.BytesFreed)}";
        console.Results.Line(
            $"{(result.DryRun ? "Would delete" : "Deleted")} " +
            $"{Readable.Count(result.Deleted.Count, "generation")}{freed}; {result.Kept.Count} kept");
    }
}
