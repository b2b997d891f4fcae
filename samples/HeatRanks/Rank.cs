using System.Runtime.InteropServices;
using Snapshot;
using Snapshot.Mpi;

namespace HeatRanks;

/// <summary>What each rank of the job runs.</summary>
internal static class Rank
{
    private const PosixSignal UserSignal1 = (PosixSignal)10;

    /// <summary>
    /// Computes from the newest published generation on, or from the beginning. Exit code 0, or
    /// <see cref="MpiJob.RunMeAgain"/> where a signal asked for the end.
    /// </summary>
    internal static int Run(RankOptions options)
    {
        int host = RankPlace.Own.HostOf(options.Hosts);
        MpiJobOptions behaviour = new()
        {
            FailureDomain = options.Hosts > 1 ? RankOptions.NameOf(host) : Environment.MachineName,
            Interval = options.EverySteps > 0 ? CheckpointInterval.EverySteps(options.EverySteps) : null,
            AsksBatchSystem = options.IsBatch,
            TimeMargin = options.Margin,
            Partner = options.Partner || options.Hosts > 1,
            SharedDirectory = options.SharedDirectory,
            Session = new SnapshotOptions { Restart = new RestartOptions { Fill = options.Fill } },
        };
        using MpiJob job = MpiJob.Open(options.JobDirectoryOf(host), behaviour);
        job.CheckpointOnSignal(UserSignal1);
        if (options.IsBatch) job.CheckpointOnSignal(PosixSignal.SIGTERM);
        Plate plate = new(job, options.Size);
        using Participant me = job.Session.Attach("main");
        if (job.Communicator.Rank == 0)
            Console.WriteLine($"from generation {job.Restarted?.From.Generation ?? 0}, step {plate.Step}");

        while (plate.Step < options.Steps && !job.IsEnding)
        {
            plate.Advance();       // all that is sent in it is received in it
            job.Poll(plate.Step);  // every rank with the same steps: captured here, or not at all
        }

        if (plate.Step < options.Steps)
        {
            if (job.Communicator.Rank == 0) Console.WriteLine($"ends at step {plate.Step}");
            return MpiJob.RunMeAgain;
        }

        if (job.LastError is { } error)
            Console.Error.WriteLine($"heat-ranks: no checkpoint: {error.Message}");
        File.WriteAllBytes(
            $"{options.ResultPath}.{job.Communicator.Rank}", MemoryMarshal.AsBytes(plate.Result));
        return 0;
    }
}
