using System.Globalization;
using Snapshot.Mpi;
using Snapshot.Mpi.Protocol;

namespace Snapshot.TestPrograms;

/// <content>Jobs whose hosts can be lost.</content>
internal static partial class RankScenes
{
    private const int RanksOfAHost = 2;

    /// <summary>
    /// The ring on hosts of two ranks each, of which each has a directory of its own, with copies at partners
    /// and in a shared directory; or a rank is killed at a point of a generation.
    /// </summary>
    /// <param name="directory">Of the hosts' directories.</param>
    /// <param name="levels">What is copied: "partner", "shared", or both with a comma.</param>
    /// <param name="steps">Where the program ends.</param>
    /// <param name="point">Where the rank is killed, or "none".</param>
    /// <param name="victim">The rank.</param>
    /// <param name="generation">Of the generation that is the so manieth to come there.</param>
    internal static int Levels(
        string directory, string levels, long steps, string point, int victim, int generation)
    {
        s_rank = RankBeforeMpi();
        string host = string.Create(CultureInfo.InvariantCulture, $"host-{s_rank / RanksOfAHost}");
        int came = 0;
        MpiJobOptions options = new()
        {
            Partner = levels.Contains("partner", StringComparison.Ordinal),
            SharedDirectory = levels.Contains("shared", StringComparison.Ordinal)
                ? Path.Combine(directory, "shared") : null,
            SharedEvery = 2,
            FailureDomain = host,
            CopyProgress = new Progress(),
            AtPoint = at =>
            {
                if (point == at.ToString() && victim == s_rank && ++came == generation) Die();
            },
        };
        using MpiJob job = MpiJob.Open(Path.Combine(directory, host), options);
        if (job.Restarted is { } restarted) Say($"has its image from {restarted.Level}");
        Compute(job, steps);
        return 0;
    }

    /// <summary>As the starter of either family tells it.</summary>
    private static int RankBeforeMpi() => int.Parse(
        Environment.GetEnvironmentVariable("OMPI_COMM_WORLD_RANK")
            ?? Environment.GetEnvironmentVariable("PMI_RANK")!,
        CultureInfo.InvariantCulture);

    /// <summary>Says what was copied whole, and what was not.</summary>
    private sealed class Progress : IProgress<JobCopyProgress>
    {
        public void Report(JobCopyProgress value)
        {
            if (value.Error is SnapshotException error)
                Say($"{value.Level} without {value.Generation.Generation}: {error.Code}");
            else if (value.IsComplete && value.BytesDone == value.BytesTotal)
                Say($"{value.Level} has {value.Generation.Generation}");
        }
    }
}
