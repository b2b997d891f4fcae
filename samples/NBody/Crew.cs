using KillDemo;
using Snapshot;
using Snapshot.Fibers;

namespace NBody;

/// <summary>
/// The fibers and the handlers of the simulation: straight-line code, whose locals survive the process. A new
/// process continues each after the await at which it was captured.
/// </summary>
/// <remarks>
/// Only unmanaged values outlive an await. What is of this process (the file, the counters) is static here,
/// and made anew by each process before it runs the first fiber.
/// </remarks>
internal static class Crew
{
    /// <summary>Bodies whose pull is added between two looks whether a checkpoint is pending.</summary>
    private const int BodiesBetweenLooks = 1024;

    private static ResultsFile s_file = null!;
    private static Checkpoints s_checkpoints = null!;
    private static long[] s_interactions = [];

    /// <summary>Gives the fibers of this process what is not in the arena.</summary>
    internal static void Prepare(ResultsFile file, Checkpoints checkpoints, int threads)
    {
        s_file = file;
        s_checkpoints = checkpoints;
        s_interactions = new long[threads];
    }

    /// <summary>The first fiber of a worker: it starts the others and waits for them.</summary>
    internal static async FiberTask LeadAsync(ArenaPointer<Cluster> cluster, int worker)
    {
        FiberHandle writer =
            worker == 0 ? Fiber.Start(cluster, static all => WriteResultsAsync(all)) : default;
        using (FiberGroup computing = Fiber.OpenGroup())
        {
            for (int tile = 0; tile < cluster.Value.Fibers; tile++)
            {
                if (cluster.Value.Tiles[tile].Worker == worker)
                    _ = computing.Start((cluster, tile), static a => AdvanceAsync(a.cluster, a.tile));
            }

            await computing.WhenAll();
        }

        await writer;
        cluster.Value.Interactions[worker] = s_interactions[worker];
    }

    /// <summary>
    /// The async handler. It holds the mutex of the file from before the capture until after it, so the file
    /// of an image has exactly the lines that the fiber in that image has written.
    /// </summary>
    internal static async FiberTask KeepFileInStepAsync(
        PendingCheckpoint checkpoint, ArenaPointer<Cluster> cluster)
    {
        await cluster.Value.FileMutex.EnterAsync();
        try
        {
            long length = s_file.Flush();
            FiberOutcome outcome = await checkpoint;
            if (outcome.Kind == CheckpointOutcomeKind.Restarted) s_file.CutBackTo(length);
        }
        finally
        {
            cluster.Value.FileMutex.Exit();
        }
    }

    /// <summary>
    /// The sync handler of a worker: takes what the worker counts outside the arena through the capture, in a
    /// local.
    /// </summary>
    internal static async FiberTask KeepCountAsync(PendingCheckpoint checkpoint, int worker)
    {
        long interactions = s_interactions[worker];
        FiberOutcome outcome = await checkpoint;
        if (outcome.Kind == CheckpointOutcomeKind.Restarted) s_interactions[worker] = interactions;
    }

    /// <summary>A fiber that computes: moves the bodies of its tile.</summary>
    private static async FiberTask AdvanceAsync(ArenaPointer<Cluster> cluster, int tile)
    {
        double potential = await AttractAsync(cluster, tile);
        await AddEnergyAsync(cluster, tile, step: 0, potential);
        for (long step = 1; step <= cluster.Value.Steps; step++)
        {
            try
            {
                // Others read the positions until they are here, too.
                await cluster.Value.Barrier.SignalAndWaitAsync();
                Gravity.KickAndDrift(ref cluster.Value, cluster.Value.Tiles[tile]);
                if (await cluster.Value.Barrier.SignalAndWaitAsync()) BeginStep(cluster, step);
                potential = await AttractAsync(cluster, tile);
                Gravity.Kick(ref cluster.Value, cluster.Value.Tiles[tile]);
                await AddEnergyAsync(cluster, tile, step, potential);
            }
            finally
            {
                cluster.Value.Tiles[tile].StepsEnded++;
            }
        }
    }

    /// <summary>Computes the accelerations of a tile.</summary>
    /// <returns>Its potential energy.</returns>
    private static async FiberTask<double> AttractAsync(ArenaPointer<Cluster> cluster, int tile)
    {
        double potential = 0;
        for (int pack = cluster.Value.Tiles[tile].FirstPack; pack < cluster.Value.Tiles[tile].EndPack; pack++)
        {
            Pull pull = default;
            for (int from = 0; from < cluster.Value.Bodies; from += BodiesBetweenLooks)
            {
                await Fiber.Safepoint();
                int end = Math.Min(from + BodiesBetweenLooks, cluster.Value.Bodies);
                Gravity.Add(ref cluster.Value, pack, from, end, ref pull);
                s_interactions[cluster.Value.Tiles[tile].Worker] += (long)Gravity.PackSize * (end - from);
            }

            potential += Gravity.Settle(ref cluster.Value, pack, in pull);
        }

        return potential;
    }

    /// <summary>
    /// Adds the energies of a tile to the sum; the last to do so in a step sends that to be written.
    /// </summary>
    private static async FiberTask AddEnergyAsync(
        ArenaPointer<Cluster> cluster, int tile, long step, double potential)
    {
        await cluster.Value.EnergyMutex.EnterAsync();
        try
        {
            cluster.Value.Energy.Add(
                Gravity.KineticEnergy(ref cluster.Value, cluster.Value.Tiles[tile]), potential);
            if (++cluster.Value.TilesAdded < cluster.Value.Fibers) return;

            // Waits, with the mutex, while the channel is full: an image may show that.
            await cluster.Value.Results.WriteAsync(
                new Result(step, cluster.Value.Energy.Kinetic, cluster.Value.Energy.Potential));
            cluster.Value.Energy = default;
            cluster.Value.TilesAdded = 0;
            if (step == cluster.Value.Steps) cluster.Value.Results.Complete();
        }
        finally
        {
            cluster.Value.EnergyMutex.Exit();
        }
    }

    /// <summary>The fiber that writes the results file.</summary>
    private static async FiberTask WriteResultsAsync(ArenaPointer<Cluster> cluster)
    {
        while (await cluster.Value.Results.WaitToReadAsync())
        {
            Result result = await cluster.Value.Results.ReadAsync();
            if (result.Step == 0) cluster.Value.First = result;
            cluster.Value.Last = result;
            await cluster.Value.FileMutex.EnterAsync();
            s_file.Append(result, cluster.Value.First);
            cluster.Value.FileMutex.Exit();
        }
    }

    private static void BeginStep(ArenaPointer<Cluster> cluster, long step)
    {
        cluster.Value.Step = step;
        s_checkpoints.AfterStep(step);
    }
}
