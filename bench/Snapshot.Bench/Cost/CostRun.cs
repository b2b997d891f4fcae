using System.Diagnostics;

namespace Snapshot.Bench;

/// <summary>One run of the computation under one checkpointer, as its threads felt it.</summary>
internal sealed record CostRun
{
    /// <summary>Until the last thread had done its work.</summary>
    internal required double Seconds { get; init; }

    /// <summary>For each epoch, how long it took, the mean of the threads.</summary>
    internal required IReadOnlyList<double> EpochsMs { get; init; }

    /// <summary>The longest time between two pages that any thread felt.</summary>
    internal required double LongestGapMs { get; init; }

    /// <summary>Of the process and its children, until all was durable.</summary>
    internal required double ProcessorSeconds { get; init; }

    internal required double DurableSeconds { get; init; }

    internal required long BytesWritten { get; init; }

    /// <summary>What was spent, by whom.</summary>
    internal required CostLedger Ledger { get; init; }

    /// <summary>Where the time of the computing threads went.</summary>
    internal required CostLoss Loss { get; init; }

    internal required IReadOnlyList<SnapshotInfo> Infos { get; init; }

    internal IEnumerable<double> PausesMs => Infos.Select(info => info.Capture.Pause.Total.TotalMilliseconds);

    /// <param name="setup">What is computed.</param>
    /// <param name="make">Makes the checkpointer.</param>
    /// <param name="workPerPage">How much is computed for each page that is written.</param>
    internal static CostRun Of(CostSetup setup, Func<Checkpointer> make, int workPerPage)
    {
        using Checkpointer checkpointer = make();
        using CostThreads threads = new(setup, checkpointer, workPerPage);
        threads.Fill();
        ProcessorTime before = ProcessorTime.OfProcess() + ProcessorTime.OfChildren();
        long began = Stopwatch.GetTimestamp();
        threads.Compute();
        double seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
        checkpointer.AwaitDurable();
        double durable = Stopwatch.GetElapsedTime(began).TotalSeconds;
        ProcessorTime spent = ProcessorTime.OfProcess() + ProcessorTime.OfChildren() - before;
        IReadOnlyList<SnapshotInfo> infos = checkpointer.Infos;
        return new CostRun
        {
            Seconds = seconds,
            EpochsMs = threads.EpochsMs,
            LongestGapMs = threads.LongestGapMs,
            ProcessorSeconds = spent.TotalMs / 1e3,
            DurableSeconds = durable,
            BytesWritten = checkpointer.BytesWritten,
            Ledger = CostLedger.Of(spent.TotalMs / 1e3, threads.Times, infos),
            Loss = CostLoss.Of(threads.Times, infos),
            Infos = infos,
        };
    }
}
