using System.CommandLine;

namespace Snapshot.Bench;

/// <summary>The command lines of pause and drain: a matrix of modes, dirty parts and patterns.</summary>
internal static class CheckpointCommand
{
    internal const string Pause = "pause", Drain = "drain";

    internal static BenchCommand Create(string name, string description, string encodingDefault)
    {
        Option<long> arena = SharedOptions.Arena(1L << 30);
        Option<double[]> dirty = SharedOptions
            .Several("--dirty", "Percent of the pages written between checkpoints; a row each.", 10.0)
            .RequireEach(value => value is > 0 and <= 100, "more than 0 and at most 100");
        Option<string[]> pattern = SharedOptions.Several(
            "--pattern", "Which pages: one dense range, or random ones; a row each.", PagePattern.Dense);
        Option<string[]> mode = SharedOptions.Modes("auto");
        Option<int> threads = SharedOptions.Threads(Environment.ProcessorCount);
        Option<int> rounds = SharedOptions.Rounds("Checkpoints measured, after the full one.", 9);
        Option<string> encoding = new("--encoding")
        {
            Description = "How blocks are encoded.",
            DefaultValueFactory = _ => encodingDefault,
        };
        Option<string> content = new("--content")
        {
            Description = "What is written: noise, which does not compress, or a smooth field of doubles.",
            DefaultValueFactory = _ => PageContent.NoiseName,
        };
        pattern.AcceptOnlyFromAmong(PagePattern.Dense, PagePattern.Random);
        encoding.AcceptOnlyFromAmong([.. Enum.GetNames<BlockEncoding>().Select(SharedOptions.ToWord)]);
        content.AcceptOnlyFromAmong(PageContent.NoiseName, PageContent.SmoothName);
        return new BenchCommand(
            name, description, [arena, dirty, pattern, mode, threads, rounds, encoding, content],
            (result, run) =>
        {
            Scenario[] scenarios = [.. result.GetValue(pattern)!
                .SelectMany(_ => result.GetValue(dirty)!, (p, d) => (p, d))
                .SelectMany(_ => result.GetValue(mode)!, (cell, m) => new Scenario
                {
                    ArenaBytes = result.GetValue(arena),
                    DirtyPercent = cell.d,
                    IsDense = cell.p == PagePattern.Dense,
                    Threads = result.GetValue(threads),
                    Rounds = result.GetValue(rounds),
                    Capture = SharedOptions.ParseMode(m),
                    Encoding = Enum.Parse<BlockEncoding>(result.GetValue(encoding)!, ignoreCase: true),
                    IsSmooth = result.GetValue(content) == PageContent.SmoothName,
                    Directory = run.Directory,
                })];
            return CheckpointReport.Of(name, CheckpointMeasurement.RunAll(scenarios, run));
        });
    }
}
