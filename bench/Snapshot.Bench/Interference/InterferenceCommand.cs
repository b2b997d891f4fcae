using System.CommandLine;

namespace Snapshot.Bench;

/// <summary>The command line of the interference scenario, and what it prints.</summary>
internal static class InterferenceCommand
{
    internal static BenchCommand Create()
    {
        Option<string[]> computation = SharedOptions.Several(
            "--computation", "What computes: a stencil over two fields, or random updates; rows each.",
            [.. Computation.Names]);
        Option<long> arena = SharedOptions.Arena(1L << 30);
        Option<string[]> mode = SharedOptions.Modes("auto");
        Option<int> threads = SharedOptions.Threads(Math.Max(1, Environment.ProcessorCount - 1));
        Option<double> every = new Option<double>("--every")
        {
            Description = "Seconds from one checkpoint to the next.",
            DefaultValueFactory = _ => 2,
        }.Require(value => value is >= 0.01 and <= 3600, "0.01 to 3600");
        Option<double> seconds = new Option<double>("--seconds")
        {
            Description = "How long the work takes without checkpoints, about.",
            DefaultValueFactory = _ => 10,
        }.Require(value => value is >= 0.1 and <= 36000, "0.1 to 36000");
        Option<int> rounds = SharedOptions.Rounds("Runs of each kind, by turns.", 3);
        Option<string> encoding = new("--encoding")
        {
            Description = "How blocks are encoded.",
            DefaultValueFactory = _ => "auto",
        };
        computation.AcceptOnlyFromAmong([.. Computation.Names]);
        encoding.AcceptOnlyFromAmong([.. Enum.GetNames<BlockEncoding>().Select(SharedOptions.ToWord)]);
        return new BenchCommand(
            "interference",
            "How much longer a computation takes with checkpoints, and by what, beside a memcpy of what it " +
            "wrote.",
            [computation, arena, mode, threads, every, seconds, rounds, encoding], (result, run) =>
        {
            CaptureMode[] modes = [.. result.GetValue(mode)!.Select(SharedOptions.ParseMode)];
            string[] names = result.GetValue(computation)!;
            return InterferenceReport.Of([.. names.SelectMany(name => InterferenceMeasurement.RunAll(
                new InterferenceSetup
                {
                    Computation = name,
                    ArenaBytes = result.GetValue(arena),
                    Threads = result.GetValue(threads),
                    Every = TimeSpan.FromSeconds(result.GetValue(every)),
                    Length = TimeSpan.FromSeconds(result.GetValue(seconds)),
                    Encoding = Enum.Parse<BlockEncoding>(result.GetValue(encoding)!, ignoreCase: true),
                    Directory = run.Directory,
                },
                modes, result.GetValue(rounds), run))]);
        });
    }
}
