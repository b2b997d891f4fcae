using System.CommandLine;

namespace Snapshot.Bench;

/// <summary>The command line of the scale scenario.</summary>
internal static class ScaleCommand
{
    internal static BenchCommand Create()
    {
        Option<long[]> arena = SharedOptions.Arenas(1L << 30, 2L << 30, 4L << 30, 8L << 30);
        Option<int[]> threads = SharedOptions.Several(
            "--threads", "Numbers of participants.", 1, 4, 16, 64, 256)
            .RequireEach(count => count is >= 1 and <= 1024, "1 to 1024");
        Option<int[]> arenas = SharedOptions.Several("--arenas", "Numbers of arenas.", 1, 4, 16, 64)
            .RequireEach(count => count is >= 1 and <= 64, "1 to 64");
        Option<double> dirty = SharedOptions.DirtyPercent(1);
        Option<string> pattern = SharedOptions.PatternOfParts();
        Option<string> mode = new("--mode")
        {
            Description = "How changed pages are held while they are written.",
            DefaultValueFactory = _ => "auto",
        };
        mode.AcceptOnlyFromAmong([.. SharedOptions.CaptureModes]);
        Option<int> rounds = SharedOptions.Rounds("Checkpoints measured in each row, after the full one.", 7);
        arena.Description =
            "Sizes of all arenas together: bytes, or with KiB, MiB, GiB; the first also for the other rows.";
        return new BenchCommand(
            "scale", "How pause, preparation, drain and processor time grow with memory, threads and arenas.",
            [arena, threads, arenas, dirty, pattern, mode, rounds], (result, run) =>
        {
            CrowdSetup first = new()
            {
                Threads = Environment.ProcessorCount,
                Arenas = 1,
                ArenaBytes = result.GetValue(arena)![0],
                DirtyPercent = result.GetValue(dirty),
                IsDense = result.GetValue(pattern) == PagePattern.Dense,
                Rounds = result.GetValue(rounds),
                Capture = SharedOptions.ParseMode(result.GetValue(mode)!),
                Directory = run.Directory,
            };
            (ScaleAxis Axis, CrowdSetup Setup)[] points =
            [
                .. result.GetValue(arena)!.Select(
                    size => (ScaleAxis.Memory, first with { ArenaBytes = size })),
                .. result.GetValue(threads)!.Select(
                    count => (ScaleAxis.Threads, first with { Threads = count })),
                .. result.GetValue(arenas)!.Select(
                    count => (ScaleAxis.Arenas, first with { Arenas = count })),
            ];
            List<CrowdMeasurement> measured =
                CrowdMeasurement.RunAll([.. points.Select(point => point.Setup)], run);
            return ScaleReport.Of([.. points.Zip(measured, (point, row) => new ScaleRow(point.Axis, row))]);
        });
    }
}
