using KillDemo;
using Snapshot;
using Snapshot.Fibers;

namespace HeatDiffusion;

/// <summary>
/// A worker as a fiber: the loop as one writes it without checkpoints. Where it stands is in its frame, which
/// is in the arena, so there are no stages: a new process continues it after the await at which it was
/// captured.
/// </summary>
/// <remarks>
/// Only unmanaged values outlive an await. The objects of this process (the band, the log, the counter) are
/// therefore looked up each time, here by the worker's number.
/// </remarks>
internal static class FiberWorker
{
    private static ResultsLog s_log = null!;
    private static Checkpoints s_checkpoints = null!;
    private static Band[] s_bands = [];
    private static SweepCounter[] s_counters = [];

    /// <summary>
    /// Gives the fibers of this process what is not in the arena. Before the first worker runs.
    /// </summary>
    internal static void Prepare(
        HeatOptions options, HeatMemory memory, ResultsLog log, Checkpoints checkpoints)
    {
        s_log = log;
        s_checkpoints = checkpoints;
        s_bands = [.. Enumerable.Range(0, options.Threads).Select(index => new Band(index, options, memory))];
        s_counters = [.. s_bands.Select(SweepCounter.Of)];
    }

    /// <summary>
    /// Runs the fiber of a worker on the calling thread, from its beginning or from where it stood.
    /// </summary>
    internal static void Run(SnapshotSession session, HeatMemory memory, int index)
    {
        ParticipantOptions participant = new() { Handlers = [("sweeps", s_counters[index])] };
        session.RunFibers(
            $"worker-{index}",
            memory.Arena,
            () => Fiber.Start((memory, index), static a => Work(a.memory.Shared, a.index)),
            participant);
    }

    private static async FiberTask Work(ArenaPointer<HeatState> shared, int index)
    {
        for (long step = 0; step < shared.Value.Steps; step++)
        {
            double heat = 0;
            for (int row = s_bands[index].FirstRow; row < s_bands[index].EndRow; row++)
            {
                await Fiber.Safepoint();
                heat += s_bands[index].SweepRow(step, row);
            }

            s_counters[index].Count();
            s_bands[index].Tell(step, heat);
            await shared.Value.Barrier.SignalAndWaitAsync();
            s_bands[index].EndStep(step);
            if (index != 0) continue;

            if (Band.IsRecorded(step))
            {
                await shared.Value.Log.Mutex.EnterAsync();
                s_log.Append(step + 1, s_bands[index].TotalHeat());
                shared.Value.Log.Mutex.Exit();
            }

            s_checkpoints.AfterStep(step + 1);
        }

        s_bands[index].ThrowUnlessComplete(s_counters[index]);
    }
}
