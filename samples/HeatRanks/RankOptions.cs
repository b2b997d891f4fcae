using System.Globalization;
using KillDemo;
using Snapshot;

namespace HeatRanks;

/// <summary>One run of the job, as each of its ranks sees it.</summary>
/// <param name="Size">Rows of the plate, and columns.</param>
/// <param name="Steps">Steps from the beginning to the end.</param>
/// <param name="EverySteps">Steps between two checkpoints; 0 takes none.</param>
/// <param name="Fill">How a restart brings memory back.</param>
/// <param name="Directory">Where the job and its results are.</param>
internal sealed record RankOptions(int Size, long Steps, long EverySteps, RestartFill Fill, string Directory)
    : RunOptions(Steps, EverySteps, Directory, Output: null)
{
    /// <summary>Whether it ends on SIGTERM, and before the time of the batch job is up.</summary>
    internal bool IsBatch { get; init; }

    /// <summary>How long before.</summary>
    internal TimeSpan Margin { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Whether generations are copied to ranks of other hosts.</summary>
    internal bool Partner { get; init; }

    /// <summary>The directory of all hosts to which they are copied, or null.</summary>
    internal string? SharedDirectory { get; init; }

    /// <summary>
    /// Hosts that the demo acts as: the ranks of each have a directory of their own, and are lost together.
    /// </summary>
    internal int Hosts { get; init; } = 1;

    /// <summary>The directory of the job, as a host has it.</summary>
    internal string JobDirectoryOf(int host) =>
        Hosts == 1 ? Path.Combine(Directory, "job") : Path.Combine(Directory, NameOf(host), "job");

    internal static string NameOf(int host) => string.Create(CultureInfo.InvariantCulture, $"host-{host}");

    internal string ResultPath => Path.Combine(Directory, "result");

    internal override string[] ToArguments() =>
    [
        "--size", Size.ToString(CultureInfo.InvariantCulture),
        "--steps", Steps.ToString(CultureInfo.InvariantCulture),
        "--every-steps", EverySteps.ToString(CultureInfo.InvariantCulture),
        "--fill", Fill.ToString(),
        .. Hosts > 1 ? (string[])["--hosts", Hosts.ToString(CultureInfo.InvariantCulture)] : [],
        .. IsBatch
            ? (string[])["--batch", "--margin", Margin.TotalSeconds.ToString(CultureInfo.InvariantCulture)]
            : [],
        "--store", Directory,
    ];
}
