namespace Snapshot.Bench;

/// <summary>The rows of the ranks scenario as a table and JSON.</summary>
internal static class RanksReport
{
    private static readonly IReadOnlyList<Column<RanksMeasurement>> s_key =
    [
        new("MPI", "mpi", row => row.Mpi),
        new("ranks", "ranks", row => row.Ranks),
        new("levels", "levels", row => row.Levels == 0 ? "own" : row.Levels == 1 ? "shared" : "all"),
    ];

    private static readonly IReadOnlyList<Column<RanksMeasurement>> s_cost =
    [
        new("step ms", "stepMs", row => row.Times.StepMs),
        new("lost ms", "lostMs", row => row.Times.LostMs),
        new("published ms", "publishedMs", row => row.Times.PublishMs),
        new("MPI-IO ms", "mpiIoMs", row => row.MpiIoMs),
        new("lost / MPI-IO", "lostOverMpiIo", row => row.Times.LostMs / row.MpiIoMs),
        new("published / MPI-IO", "publishedOverMpiIo", row => row.Times.PublishMs / row.MpiIoMs),
        new("lost / one rank", "lostOverOneRank", row => row.Times.LostMs / row.Alone?.Times.LostMs),
        new("poll ns", "pollNs", row => row.Polls.Mean),
        new("median", "pollMedianNs", row => row.Polls.Median),
    ];

    private static readonly IReadOnlyList<Column<RanksMeasurement>> s_levels =
    [
        new("own MiB", "ownMiB", row => Mebibytes(row.OwnBytes)),
        new("partner MiB", "partnerMiB", row => Mebibytes(row.Times.Partner?.Bytes)),
        new("partner ms", "partnerMs", row => row.Times.Partner?.Ms),
        new("shared MiB", "sharedMiB", row => Mebibytes(row.Times.Shared?.Bytes)),
        new("shared ms", "sharedMs", row => row.Times.Shared?.Ms),
        new("restart ms", "restartMs", row => row.Restart.Ms),
        new("store lost ms", "restartOfLostMs", row => row.RestartOfLost?.Ms),
        new("/ restart", "restartOfLostOverRestart", row => row.RestartOfLost?.Ms / row.Restart.Ms),
        new("from", "restartedFrom", row => row.RestartOfLost?.Level),
    ];

    internal static ScenarioReport Of(IReadOnlyList<RanksMeasurement> rows, int rounds) => new()
    {
        Tables = [TextTable.Of(rows, [.. s_key, .. s_cost]), TextTable.Of(rows, [.. s_key, .. s_levels])],
        Json = ScenarioReport.JsonOf(rows, [.. s_key, .. s_cost, .. s_levels]),
        Note =
            $"{Figures.Size(rows[0].StateBytes)} in all ranks together, all of it written between " +
            $"checkpoints, medians of {rounds}; {Environment.ProcessorCount} processors. lost: what the " +
            "steps take longer in which a checkpoint is taken, published and copied, with what the " +
            "processors do beside them. published: from asking for it, with the agreement. MPI-IO: the " +
            "program stands still while all ranks write the same state into one file, with MPI_File_sync. " +
            "one rank: with as many bytes alone. poll: at steps of a millisecond, without the clock's " +
            "time: mean, with those at which ranks wait for each other, and median. partner, shared: from " +
            "asking until all have copied it. restart: from opening the job until all have their memory, " +
            "with the start of MPI; store lost: after one rank's own was deleted. Each rank takes the " +
            "place of a host, and all levels are on one disk.",
        Plots = [],
    };

    private static double? Mebibytes(long? bytes) => bytes / 1048576.0;
}
