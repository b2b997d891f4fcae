using System.CommandLine;

namespace Snapshot.Bench;

/// <summary>The command line of the crowd scenario.</summary>
internal static class CrowdCommand
{
    internal static BenchCommand Create()
    {
        Option<int[]> threads = SharedOptions
            .Several(
                "--threads", "Participants, each with its own part of every arena; rows each.", 1, 4, 16, 64)
            .RequireEach(count => count is >= 1 and <= 1024, "1 to 1024");
        Option<int[]> arenas = SharedOptions.Several("--arenas", "Arenas; rows each.", 1, 4, 16)
            .RequireEach(count => count is >= 1 and <= 64, "1 to 64");
        Option<long> arena = SharedOptions.Arena(1L << 30);
        arena.Description = "Size of all arenas together: bytes, or with KiB, MiB, GiB.";
        Option<double> dirty = SharedOptions.DirtyPercent(10);
        Option<string> pattern = SharedOptions.PatternOfParts();
        Option<string[]> mode = SharedOptions.Modes("auto");
        Option<int> rounds = SharedOptions.Rounds("Checkpoints measured, after the full one.", 9);
        return new BenchCommand(
            "crowd", "How many threads and arenas change what a first write, a gathering and a pause take.",
            [threads, arenas, arena, dirty, pattern, mode, rounds], (result, run) =>
        {
            CrowdSetup[] setups = [.. result.GetValue(mode)!
                .SelectMany(_ => result.GetValue(arenas)!, (m, a) => (m, a))
                .SelectMany(_ => result.GetValue(threads)!, (cell, t) => new CrowdSetup
                {
                    Threads = t,
                    Arenas = cell.a,
                    ArenaBytes = result.GetValue(arena),
                    DirtyPercent = result.GetValue(dirty),
                    IsDense = result.GetValue(pattern) == PagePattern.Dense,
                    Rounds = result.GetValue(rounds),
                    Capture = SharedOptions.ParseMode(cell.m),
                    Directory = run.Directory,
                })];
            return CrowdReport.Of(CrowdMeasurement.RunAll(setups, run));
        });
    }
}
