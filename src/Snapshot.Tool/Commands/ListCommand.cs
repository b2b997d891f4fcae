using System.CommandLine;
using Snapshot.Mpi.Manifest;
using Snapshot.Tool.Output;
using Spectre.Console;

namespace Snapshot.Tool.Commands;

/// <summary><c>snapshot list STORE</c>: what the store, or the job, holds, oldest first.</summary>
internal sealed class ListCommand : Command
{
    internal ListCommand(ToolConsole console)
        : base("list", "Lists the generations of a store, or of a job of many ranks, oldest first.")
    {
        Argument<string> path = CommandParts.Store();
        Option<bool> json = CommandParts.Json();
        Add(path);
        Add(json);
        SetAction(parsed => Run(console, parsed.GetRequiredValue(path), parsed.GetValue(json)));
    }

    private static int Run(ToolConsole console, string path, bool json)
    {
        if (JobSurvey.Of(path) is { } job)
        {
            JobListing.Show(console, job, json);
            return ExitCode.Fine;
        }

        using SnapshotStore store = SnapshotStore.OpenReadOnly(path);
        if (json) console.WriteJson(store.Generations, ToolJson.Default.IReadOnlyListGenerationInfo);
        else Print(console.Results, store);
        CommandParts.TellFindings(console, store.Findings);
        return ExitCode.Fine;
    }

    private static void Print(IAnsiConsole console, SnapshotStore store)
    {
        if (store.Generations.Count > 0)
        {
            console.Print(GenerationTable.Create(store.Generations, console.Profile.Width));
            console.Line("");
        }

        long bytes = store.Generations.Sum(info => info.FileBytes);
        console.Line(
            $"{Readable.Count(store.Generations.Count, "generation")}, {Readable.Bytes(bytes)} in " +
            $"{store.Directory}");
        if (store.RestartGeneration is { } chosen)
            console.Line(
                $"The next restart takes generation {Readable.Number(chosen)} ('snapshot rollback').");
    }
}
