using Snapshot.Base;
using Snapshot.Checkpoint;
using Snapshot.Tracking;

namespace Snapshot.Bench;

/// <summary>Who spent the processor time of one run, in seconds.</summary>
internal sealed record CostLedger
{
    /// <summary>The computing threads, what they do for the computation itself included.</summary>
    internal required double Application { get; init; }

    /// <summary>The checkpoint thread.</summary>
    internal double Capture { get; init; }

    /// <summary>Reading and hashing pages.</summary>
    internal double Drain { get; init; }

    internal double Encode { get; init; }

    internal double Write { get; init; }

    /// <summary>Threads that let writes through.</summary>
    internal double Serve { get; init; }

    /// <summary>Everything else: the runtime's own threads, children.</summary>
    internal required double Other { get; init; }

    /// <param name="all">What the process and its children spent.</param>
    /// <param name="threads">The computing threads.</param>
    /// <param name="infos">What the checkpoints say of themselves.</param>
    internal static CostLedger Of(
        double all, IReadOnlyCollection<ThreadTime> threads, IReadOnlyList<SnapshotInfo> infos)
    {
        double application = threads.Sum(time => time.Processor.TotalMs) / 1e3;
        double serve = ProcessorTime.OfThreads(Freezer.ServerName).TotalMs / 1e3;
        double library = infos.Sum(info => info.ProcessorTime.TotalSeconds);
        return new CostLedger
        {
            Application = application,
            Capture = On(CheckpointTask.Capture),
            Drain = On(CheckpointTask.Drain),
            Encode = On(CheckpointTask.Encode),
            Write = On(CheckpointTask.Write),
            Serve = serve,
            Other = all - application - serve - library,
        };

        double On(CheckpointTask task) => infos.Sum(info => info.Meter!.On(task).TotalSeconds);
    }
}
