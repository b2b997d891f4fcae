namespace Snapshot.Bench;

/// <summary>
/// A job of many ranks, what its checkpoints and restarts take, and how often its hosts fail.
/// </summary>
/// <remarks>All times are in seconds.</remarks>
internal sealed record SimulatedJob
{
    /// <summary>Hosts in a ring: the partner of one is the next.</summary>
    internal required int Hosts { get; init; }

    /// <summary>The mean time between failures of one host.</summary>
    internal required double HostMtbf { get; init; }

    /// <summary>
    /// The share of failures after which the disk of the host is there: killed ranks, a reboot.
    /// </summary>
    internal double KeepsDisk { get; init; }

    /// <summary>The share of lost disks with which that of the partner is lost.</summary>
    internal double LosesPair { get; init; }

    /// <summary>What the job computes from its beginning to its end.</summary>
    internal required double Work { get; init; }

    /// <summary>What is computed from one checkpoint to the next.</summary>
    internal required double Interval { get; init; }

    /// <summary>What a checkpoint takes from the program.</summary>
    internal required double Felt { get; init; }

    /// <summary>From the capture until the generation is published: at least what is felt.</summary>
    internal required double Publish { get; init; }

    internal bool Partner { get; init; }

    /// <summary>From the publication until partners have a generation.</summary>
    internal double PartnerCopy { get; init; }

    /// <summary>
    /// From the restart until copies are whole again that were on the disk of a lost host, and all of them
    /// after a restart from the shared directory.
    /// </summary>
    internal double Renew { get; init; }

    internal bool Shared { get; init; }

    /// <summary>Every how many generations one is copied to the shared directory.</summary>
    internal int SharedEvery { get; init; } = 1;

    internal double SharedCopy { get; init; }

    /// <summary>A restart from what is on the ranks' own disks, and a start from the beginning.</summary>
    internal double RestartOwn { get; init; }

    internal double RestartPartner { get; init; }

    internal double RestartShared { get; init; }

    /// <summary>Until a host whose disk is lost is replaced.</summary>
    internal double Replace { get; init; }

    /// <summary>When the job is given up.</summary>
    internal double Limit { get; init; } = double.PositiveInfinity;

    /// <summary>The mean time between failures of any host.</summary>
    internal double Mtbf => HostMtbf / Hosts;

    /// <summary>What a restart takes at a mean, where a lost disk is replaced by the fastest level.</summary>
    internal double RestartMean =>
        KeepsDisk * RestartOwn + (1 - KeepsDisk) * (Replace + (Partner
            ? RestartPartner
            : Shared ? RestartShared : RestartOwn));
}
