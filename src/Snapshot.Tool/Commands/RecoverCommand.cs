using System.CommandLine;
using Snapshot.Storage;
using Snapshot.Tool.Output;
using Spectre.Console;

namespace Snapshot.Tool.Commands;

/// <summary>What a recovery did, or would do.</summary>
/// <param name="DryRun">True when nothing was changed.</param>
/// <param name="Images">Every image, and what became of it.</param>
/// <param name="GenerationCount">How many generations the new manifest lists.</param>
/// <param name="ReplacedManifest">The name under which the old manifest is kept, or null.</param>
internal sealed record RecoverResult(
    bool DryRun, IReadOnlyList<RecoveredImage> Images, int GenerationCount, string? ReplacedManifest);

/// <summary><c>snapshot recover STORE</c>: makes a new manifest from the images.</summary>
internal sealed class RecoverCommand : Command
{
    internal RecoverCommand(ToolConsole console)
        : base(
            "recover",
            "Makes a new manifest from the images, for a store whose manifest is damaged, missing or too " +
            "old.")
    {
        Argument<string> path = CommandParts.Store();
        Option<bool> dryRun = new("--dry-run") { Description = "Only say what would be listed." };
        Option<bool> json = CommandParts.Json();
        Add(path);
        Add(dryRun);
        Option<double> wait = CommandParts.Wait();
        Add(wait);
        Add(json);
        SetAction(parsed => Run(
            console, parsed.GetRequiredValue(path), parsed.GetValue(dryRun), parsed.GetValue(wait),
            parsed.GetValue(json)));
    }

    private static int Run(ToolConsole console, string path, bool dryRun, double wait, bool json)
    {
        RecoveryReport report = SnapshotStore.Recover(path, dryRun, CommandParts.Writing(console, wait));
        RecoverResult result = new(dryRun, report.Images, report.GenerationCount, report.ReplacedManifest);
        if (json) console.WriteJson(result, ToolJson.Default.RecoverResult);
        else Print(console.Results, result);
        return ExitCode.Fine;
    }

    private static void Print(IAnsiConsole console, RecoverResult result)
    {
        Table table = Tables.Create(">Generation", "File", "Now", "Why").Folding(1).Folding(2).Folding(3);
        foreach (RecoveredImage image in result.Images)
        {
            table.Add(
                image.Generation is { } generation ? Readable.Number(generation) : "",
                image.FileName,
                image.Outcome switch
                {
                    RecoveryOutcome.Kept => "listed, as before",
                    RecoveryOutcome.ListedAgain => "listed again",
                    RecoveryOutcome.Lost => "not listed any more",
                    _ => "left alone",
                },
                image.Message);
        }

        console.Print(table);
        string kept = result.ReplacedManifest is { } name ? $"; the old manifest is {name}" : "";
        console.Line(
            $"\n{(result.DryRun ? "Would list" : "Listed")} " +
            $"{Readable.Count(result.GenerationCount, "generation")}{(result.DryRun ? "" : kept)}. " +
            "'snapshot verify' reads every byte of them.");
    }
}
