using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Snapshot.Mpi;

namespace Snapshot.Bench;

/// <summary>What each rank of a measured job runs; rank 0 prints one JSON value.</summary>
internal static class RanksChild
{
    /// <summary>Not among the commands that help lists.</summary>
    internal const string CommandName = "ranks-child";

    private const string Measuring = "measure", Polling = "poll", Starting = "start", Living = "live";
    private const int Polls = 2000;

    /// <summary>Added to each step where ranks are more than processors and are to have their own.</summary>
    private static readonly TimeSpan s_wait = TimeSpan.FromMilliseconds(10);

    internal static string[] Measure(
        string directory, long bytes, int rounds, int levels, bool isSlow = false) =>
        [CommandName, Measuring, directory, $"{bytes}", $"{levels}", $"{rounds}", $"{isSlow}"];

    internal static string[] Poll(string directory) => [CommandName, Polling, directory];

    internal static string[] Start(string directory, long bytes, int levels) =>
        [CommandName, Starting, directory, $"{bytes}", $"{levels}"];

    /// <param name="directory">Of the job; 0 <paramref name="seconds"/>: no checkpoints.</param>
    /// <param name="bytes">Of the state of one rank.</param>
    /// <param name="steps">From the beginning to the end.</param>
    /// <param name="seconds">From one checkpoint to the next.</param>
    internal static string[] Live(string directory, long bytes, long steps, double seconds) =>
    [
        CommandName, Living, directory, $"{bytes}", $"{steps}",
        seconds.ToString(CultureInfo.InvariantCulture),
    ];

    /// <summary>Written when the ranks of a live job begin to compute.</summary>
    internal static string BegunOf(string directory) => directory + ".begun";

    /// <summary>Written when their end is published.</summary>
    internal static string EndedOf(string directory) => directory + ".ended";

    /// <summary>Where the shared directory of a job is.</summary>
    internal static string SharedOf(string directory) => directory + ".shared";

    internal static int Run(string[] arguments)
    {
        switch (arguments)
        {
            case [Measuring, string directory, string bytes, string levels, string rounds, string isSlow]:
                RankCopies copies = new();
                JobLevel[] copied = LevelsOf(Number(levels));
                using (MpiJob job = MpiJob.Open(directory, Options(directory, copied, copies)))
                {
                    RankState state = new(job, Number(bytes), bool.Parse(isSlow) ? s_wait : default);
                    RankMeasurement measurement = new(job, state, copies, copied);
                    Print(job, measurement.Run((int)Number(rounds)));
                }

                return 0;
            case [Polling, string directory]:
                using (MpiJob job = MpiJob.Open(directory)) Print(job, MeasurePolls(job));
                return 0;
            case [Living, string directory, string bytes, string steps, string seconds]:
                TimeSpan every = TimeSpan.FromSeconds(double.Parse(seconds, CultureInfo.InvariantCulture));
                using (MpiJob job = MpiJob.Open(directory, new MpiJobOptions
                {
                    Interval = every > TimeSpan.Zero ? CheckpointInterval.Every(every) : null,
                    Session = new SnapshotOptions { Encoding = BlockEncoding.None },
                }))
                {
                    Print(job, Live(job, directory, Number(bytes), Number(steps)));
                }

                return 0;
            case [Starting, string directory, string bytes, string levels]:
                long begun = Stopwatch.GetTimestamp();
                MpiJobOptions options = Options(directory, LevelsOf(Number(levels)), new RankCopies());
                using (MpiJob job = MpiJob.Open(directory, options))
                {
                    _ = new RankState(job, Number(bytes), wait: default);
                    double ms = job.Communicator.Max(Stopwatch.GetElapsedTime(begun).TotalMilliseconds);
                    JobLevel level = (JobLevel)job.Communicator.Max((double)job.Restarted!.Level);
                    Print(job, new RankStartTimes(ms, level.ToString()));
                }

                return 0;
            default:
                return 1;
        }
    }

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);

    /// <summary>0: none beside the ranks' own; 1: the shared directory; 2: partners, too.</summary>
    private static JobLevel[] LevelsOf(long count) => count switch
    {
        0 => [],
        1 => [JobLevel.Shared],
        _ => [JobLevel.Partner, JobLevel.Shared],
    };

    private static void Print<T>(MpiJob job, T value)
    {
        if (job.Communicator.Rank == 0) Console.WriteLine(JsonSerializer.Serialize(value));
    }

    /// <summary>Each rank takes the place of a host of its own.</summary>
    private static MpiJobOptions Options(string directory, JobLevel[] levels, RankCopies copies) => new()
    {
        Partner = levels.Contains(JobLevel.Partner),
        SharedDirectory = levels.Contains(JobLevel.Shared) ? SharedOf(directory) : null,
        FailureDomain = $"process {Environment.ProcessId}",
        CopyProgress = copies,
        Session = new SnapshotOptions { Encoding = BlockEncoding.None },
    };

    /// <summary>Steps until the end, which is published; the milliseconds of the steps.</summary>
    private static double Live(MpiJob job, string directory, long bytes, long steps)
    {
        RankState state = new(job, bytes, s_wait);
        using Participant me = job.Session.Attach("main");
        job.Communicator.Barrier();
        if (job.Communicator.Rank == 0) File.WriteAllText(BegunOf(directory), "");
        long begun = Stopwatch.GetTimestamp();
        while (state.Steps < steps) state.Step();
        double ms = Stopwatch.GetElapsedTime(begun).TotalMilliseconds;
        if (job.Restarted?.From.Step != steps) job.Checkpoint(steps);
        if (job.Communicator.Rank == 0) File.WriteAllText(EndedOf(directory), "");
        return ms;
    }

    /// <summary>A poll after each millisecond of computing, beside none.</summary>
    private static PollTimes MeasurePolls(MpiJob job)
    {
        using Participant me = job.Session.Attach("main");
        double[] polls = new double[Polls], clock = new double[Polls];
        for (int step = 0; step < Polls; step++)
        {
            long begun = Stopwatch.GetTimestamp();
            while (Stopwatch.GetElapsedTime(begun) < TimeSpan.FromMilliseconds(1)) Thread.SpinWait(10);
            long empty = Stopwatch.GetTimestamp();
            long before = Stopwatch.GetTimestamp();
            job.Poll(step);
            long after = Stopwatch.GetTimestamp();
            clock[step] = (before - empty) * 1e9 / Stopwatch.Frequency;
            polls[step] = (after - before) * 1e9 / Stopwatch.Frequency;
        }

        // The code of the first ones is still being compiled.
        (polls, clock) = (polls[(Polls / 3)..], clock[(Polls / 3)..]);
        return new PollTimes(
            polls.Average() - clock.Average(), Figures.Median(polls) - Figures.Median(clock));
    }
}
