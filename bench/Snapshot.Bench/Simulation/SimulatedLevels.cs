namespace Snapshot.Bench;

/// <summary>Which levels a simulated job has, as they are typed.</summary>
internal static class SimulatedLevels
{
    /// <summary>Own disks alone.</summary>
    internal const string Own = "own";

    /// <summary>And the shared directory.</summary>
    internal const string Shared = "shared";

    /// <summary>And partners.</summary>
    internal const string Partner = "partner";

    /// <summary>Own disks, partners and the shared directory.</summary>
    internal const string Both = "both";

    /// <summary>
    /// No level but the shared directory: the program stands still until each generation is there.
    /// </summary>
    internal const string Stopped = "stopped";

    internal static readonly string[] All = [Own, Shared, Partner, Both, Stopped];

    /// <summary>The job with these levels; its costs are those of all levels.</summary>
    internal static SimulatedJob Of(string levels, SimulatedJob job) => levels switch
    {
        Stopped => job with
        {
            Felt = job.SharedCopy,
            Publish = job.SharedCopy,
            Shared = true,
            SharedEvery = 1,
            SharedCopy = 0,
            RestartOwn = job.RestartShared,
        },
        _ => job with
        {
            Partner = levels is Partner or Both,
            Shared = levels is Shared or Both,
        },
    };
}
