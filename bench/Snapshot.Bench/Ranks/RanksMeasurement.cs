namespace Snapshot.Bench;

/// <summary>A job of so many ranks, of one family of MPI and with so many levels.</summary>
internal sealed record RanksMeasurement
{
    private const string Stores = "rank-*";

    internal required string Mpi { get; init; }

    internal required int Ranks { get; init; }

    /// <summary>Levels to which copies go, beside the ranks' own disks.</summary>
    internal required int Levels { get; init; }

    internal required long StateBytes { get; init; }

    internal required RanksTimes Times { get; init; }

    /// <summary>Of the newest generation, in the ranks' own stores.</summary>
    internal required long OwnBytes { get; init; }

    internal required PollTimes Polls { get; init; }

    internal required RankStartTimes Restart { get; init; }

    /// <summary>After the store of a rank was deleted; null where no level had it.</summary>
    internal required RankStartTimes? RestartOfLost { get; init; }

    /// <summary>Milliseconds in which MPI-IO writes the state.</summary>
    internal required double MpiIoMs { get; init; }

    /// <summary>The row of one rank with the same family, levels and state, or null.</summary>
    internal RanksMeasurement? Alone { get; init; }

    internal static List<RanksMeasurement> RunAll(IReadOnlyList<RanksSetup> setups, BenchRun run)
    {
        foreach (RanksSetup setup in setups)
        {
            Requirements.Memory(3 * setup.StateBytes + (1L << 30), "the state of all ranks, and MPI-IO's");
            Requirements.Disk(run.Directory, 12 * setup.StateBytes, "images on all levels");
        }

        List<RanksMeasurement> rows = [.. setups.Select(setup => Run(setup, run))];
        return [.. rows.Select(row => row with
        {
            Alone = rows.FirstOrDefault(
                other => (other.Ranks, other.Mpi) == (1, row.Mpi) && other.Levels == Math.Min(1, row.Levels)),
        })];
    }

    private static RanksMeasurement Run(RanksSetup setup, BenchRun run)
    {
        run.Say($"{setup.Mpi}, {setup.Ranks} ranks, {(setup.Levels > 0 ? "all levels" : "own disks")}");
        using StoreFolder folder = new(run.Directory);
        RanksRun mpi = new(setup.Mpi);
        string job = Path.Combine(folder.Path, "job");
        long bytes = setup.StateBytes / setup.Ranks;
        RanksTimes times = mpi.Run<RanksTimes>(
            setup.Ranks, RanksChild.Measure(job, bytes, setup.Rounds, setup.Levels));
        string[] stores = [.. Directory.GetDirectories(job, Stores).Order()];
        long own = stores.Sum(store => SnapshotStore.OpenReadOnly(store).Generations[^1].FileBytes);
        string[] start = RanksChild.Start(job, bytes, setup.Levels);
        RankStartTimes restart = mpi.Run<RankStartTimes>(setup.Ranks, start);
        RankStartTimes? lost = null;
        if (setup.Levels > 0)
        {
            Directory.Delete(stores[^1], recursive: true);
            lost = mpi.Run<RankStartTimes>(setup.Ranks, start);
        }

        return new RanksMeasurement
        {
            Mpi = setup.Mpi,
            Ranks = setup.Ranks,
            Levels = setup.Levels,
            StateBytes = setup.StateBytes,
            Times = times,
            OwnBytes = own,
            Restart = restart,
            RestartOfLost = lost,
            Polls = mpi.Run<PollTimes>(setup.Ranks, RanksChild.Poll(Path.Combine(folder.Path, "polls"))),
            MpiIoMs = mpi.MpiIo(setup.Ranks, folder.Path, bytes, setup.Rounds),
        };
    }
}

/// <summary>What is to be measured of a job.</summary>
internal sealed record RanksSetup(string Mpi, int Ranks, int Levels, long StateBytes, int Rounds);
