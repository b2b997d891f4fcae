using System.Diagnostics;
using Snapshot.Image;

namespace Snapshot.Restart;

/// <summary>The restart, read top to bottom: verify, map at the recorded addresses, fill, hand over.</summary>
/// <remarks>
/// What follows is the session's: it gives the recorded names and ids to the coordinator, arms tracking, and resumes
/// handlers and participants concurrently as they register.
/// </remarks>
internal static class RestartRun
{
    /// <summary>Restores the wanted generation, or, when that is allowed, the newest older one that verifies.</summary>
    /// <exception cref="SnapshotException">
    /// NotFound, Corrupt, ChainBroken, UnsupportedFormat, StoreIo, AddressTaken, SystemCall.
    /// </exception>
    internal static RestoredState Execute(SnapshotStore store, RestartOptions options)
    {
        List<SkippedGeneration> skipped = [];
        foreach (long generation in Candidates(store, options))
        {
            try
            {
                return Restore(store, generation, options.Threads, skipped);
            }
            catch (SnapshotException damage) when (options.AllowOlderGeneration && IsDamage(damage))
            {
                skipped.Add(new SkippedGeneration(generation, damage));
            }
        }

        throw new SnapshotException(
            SnapshotErrorCode.NotFound,
            $"No generation of '{store.Directory}' can be restored; {skipped.Count} were tried and each is damaged. " +
            "Run 'snapshot verify' on the store to see everything that is wrong with it.",
            skipped.Count > 0 ? skipped[0].Reason : null)
        { Path = store.Directory };
    }

    private static RestoredState Restore(
        SnapshotStore store, long generation, int threads, IReadOnlyList<SkippedGeneration> skipped)
    {
        // Verify: every header, footer and index of the chain, before anything is mapped.
        long started = Stopwatch.GetTimestamp();
        using RestartPlan plan = RestartPlan.Make(store, generation);
        TimeSpan planning = Stopwatch.GetElapsedTime(started);

        // Map: all regions, or none.
        RestoredMemory memory = RestoredMemory.Map(plan.Regions);
        try
        {
            // Fill: a block is verified before it is decoded, and decoded before a byte of it reaches an arena.
            long filling = Stopwatch.GetTimestamp();
            long pages = EagerFill.Run(plan, memory.Targets, threads);
            memory.Adopt();

            ImageHeader header = plan.Newest.Header;
            return new RestoredState(
                memory,
                plan.Newest.Metadata,
                new ImageLink(header.ImageId, header.Generation),
                new RestartInfo
                {
                    Generation = generation,
                    ChainLength = plan.Chain.Count,
                    BytesRestored = Base.Pages.Bytes(pages),
                    Plan = planning,
                    Fill = Stopwatch.GetElapsedTime(filling),
                    Skipped = skipped,
                });
        }
        catch
        {
            // Nothing half-restored stays behind.
            memory.Dispose();
            throw;
        }
    }

    private static IEnumerable<long> Candidates(SnapshotStore store, RestartOptions options)
    {
        if (store.Generations.Count == 0)
        {
            throw new SnapshotException(
                SnapshotErrorCode.NotFound,
                $"'{store.Directory}' holds no committed generation, so there is nothing to restart from.")
            { Path = store.Directory };
        }

        long wanted = options.Generation ?? store.Newest!.Generation;
        if (store.Generations.All(entry => entry.Generation != wanted))
        {
            throw new SnapshotException(
                SnapshotErrorCode.NotFound,
                $"'{store.Directory}' holds no generation {wanted}; it has " +
                $"{string.Join(", ", store.Generations.Select(entry => entry.Generation))}.")
            { Path = store.Directory, Generation = wanted };
        }

        return store.Generations.Select(entry => entry.Generation).Where(entry => entry <= wanted).OrderDescending();
    }

    /// <summary>
    /// Damage is a reason to go to an older generation; a taken address or a missing kernel feature is not.
    /// </summary>
    private static bool IsDamage(SnapshotException error) => error.Code
        is SnapshotErrorCode.Corrupt or SnapshotErrorCode.ChainBroken or SnapshotErrorCode.UnsupportedFormat
            or SnapshotErrorCode.StoreIo;
}
