using System.CommandLine;
using Snapshot.Mpi.Manifest;
using Snapshot.Tool.Output;
using Spectre.Console;

namespace Snapshot.Tool.Commands;

/// <summary>What a pruning deleted, or would delete.</summary>
/// <param name="DryRun">True when nothing was deleted.</param>
/// <param name="Deleted">The generations that go.</param>
/// <param name="Kept">The generations that stay.</param>
/// <param name="BytesFreed">The length of their files.</param>
internal sealed record PruneResult(
    bool DryRun, IReadOnlyList<GenerationInfo> Deleted, IReadOnlyList<GenerationInfo> Kept, long BytesFreed);

/// <summary><c>snapshot prune STORE --keep-last N</c>: deletes what a policy does not keep.</summary>
internal sealed class PruneCommand : Command
{
    internal PruneCommand(ToolConsole console)
        : base("prune", "Deletes old generations. What a kept one needs is kept, too.")
    {
        Argument<string> path = CommandParts.Store();
        Option<int> keepLast = CommandParts.Count("--keep-last", 1, "Keep the N newest generations.");
        keepLast.Required = true;
        Option<int> keepEvery = CommandParts.Count(
            "--keep-every", 1, "Also keep each generation whose number N divides.");
        Option<TimeSpan?> maxAge = CommandParts.Age(
            "--max-age", "Let --keep-every keep no generation older than this, such as 36h or 7d.");
        Option<bool> passedOver = new("--passed-over")
        {
            Description = "Also delete generations that were passed over by a restart from an older one.",
        };
        Option<bool> dryRun = new("--dry-run") { Description = "Only say what would be deleted." };
        Option<bool> json = CommandParts.Json();
        Add(path);
        Add(keepLast);
        Add(keepEvery);
        Add(maxAge);
        Add(passedOver);
        Add(dryRun);
        Option<double> wait = CommandParts.Wait();
        Add(wait);
        Add(json);
        Validators.Add(result =>
        {
            if (result.GetResult(maxAge) is not null && result.GetResult(keepEvery) is null)
                result.AddError("--max-age limits what --keep-every keeps; give --keep-every, too.");
        });
        SetAction((parsed, cancellation) => RunAsync(
            console,
            parsed.GetRequiredValue(path),
            new RetentionPolicy
            {
                KeepLast = parsed.GetValue(keepLast),
                KeepEvery = parsed.GetValue(keepEvery),
                MaxAge = parsed.GetValue(maxAge),
                KeepPassedOver = !parsed.GetValue(passedOver),
            },
            parsed.GetValue(dryRun),
            parsed.GetValue(wait),
            parsed.GetValue(json),
            cancellation));
    }

    private static async Task<int> RunAsync(
        ToolConsole console, string path, RetentionPolicy policy, bool dryRun, double wait, bool json,
        CancellationToken cancellation)
    {
        if (JobSurvey.Of(path) is { } job)
            return await JobPruning.RunAsync(console, job, policy, dryRun, wait, json, cancellation);
        using SnapshotStore store =
            dryRun
                ? SnapshotStore.OpenReadOnly(path) : CommandParts.OpenExisting(console, path, wait);
        IReadOnlyList<GenerationInfo> before = store.Generations;
        IReadOnlyList<GenerationInfo> deleted = dryRun
            ? store.PlanPrune(policy)
            : await ToolProgress.RunAsync(
                console, "Pruning", progress => store.PruneAsync(policy, progress, cancellation));

        IEnumerable<GenerationInfo> kept =
            before.ExceptBy(deleted.Select(info => info.Generation), info => info.Generation);
        PruneResult result = new(dryRun, deleted, [.. kept], deleted.Sum(info => info.FileBytes));
        if (json) console.WriteJson(result, ToolJson.Default.PruneResult);
        else Print(console.Results, result);
        return ExitCode.Fine;
    }

    private static void Print(IAnsiConsole console, PruneResult result)
    {
        if (result.Deleted.Count > 0)
        {
            console.Print(GenerationTable.Create(result.Deleted, console.Profile.Width));
            console.Line("");
        }

        console.Line(
            $"{(result.DryRun ? "Would delete" : "Deleted")} " +
            $"{Readable.Count(result.Deleted.Count, "generation")}, {Readable.Bytes(result.BytesFreed)}; " +
            $"{result.Kept.Count} kept{Needed(result.Kept)}");
    }

    /// <summary>Why more may be kept than were asked for.</summary>
    private static string Needed(IReadOnlyList<GenerationInfo> kept)
    {
        HashSet<long?> parents = [.. kept.Select(info => info.Parent)];
        int needed = kept.Count(info => parents.Contains(info.Generation));
        return needed == 0
            ? ""
            : $". Younger generations need {needed} of them; 'snapshot compact STORE' makes the newest full";
    }
}
