using System.CommandLine;
using Snapshot.Mpi.Manifest;
using Snapshot.Tool.Output;
using Spectre.Console;

namespace Snapshot.Tool.Commands;

/// <summary>
/// <c>snapshot verify STORE [GENERATION]</c>: reads every byte and names everything that is wrong.
/// </summary>
internal sealed class VerifyCommand : Command
{
    internal VerifyCommand(ToolConsole console)
        : base(
            "verify",
            "Reads every byte of a generation and of what it needs, or of all generations, and checks it.")
    {
        Argument<string> path = CommandParts.Store();
        Option<bool> json = CommandParts.Json();
        Add(path);
        GenerationChoice generation = GenerationChoice.ByArgument(this, "all of them");
        Add(json);
        SetAction((parsed, cancellation) => RunAsync(
            console, parsed.GetRequiredValue(path), generation.In(parsed), parsed.GetValue(json),
            cancellation));
    }

    private static async Task<int> RunAsync(
        ToolConsole console, string path, GenerationName asked, bool json, CancellationToken cancellation)
    {
        if (JobSurvey.Of(path) is { } job)
            return await JobVerification.RunAsync(console, job, asked, json, cancellation);

        using SnapshotStore store = SnapshotStore.OpenReadOnly(path);
        long? generation = asked.Of(store);
        VerifyReport report = await ToolProgress.RunAsync(
            console, "Verifying", progress => store.VerifyAsync(generation, progress, cancellation));
        if (json) console.WriteJson(report, ToolJson.Default.VerifyReport);
        else Print(console.Results, report);
        CommandParts.TellFindings(
            console, [.. report.Findings.Where(found => found.Kind == StoreFindingKind.ImageSetAside)]);
        return report.IsIntact ? ExitCode.Fine : ExitCode.Damage;
    }

    private static void Print(IAnsiConsole console, VerifyReport report)
    {
        string read =
            $"{Readable.Count(report.ImageCount, "image")}, {Readable.Count(report.BlockCount, "block")}, " +
            $"{Readable.Bytes(report.ByteCount)} read";
        if (report.IsIntact)
        {
            console.Good($"Intact: {read}");
            return;
        }

        Table table = Tables.Create(">Generation", "Damage", ">Offset", "What is wrong").Folding(3);
        foreach (VerifyProblem problem in report.Problems)
        {
            table.Add(
                problem.Generation is { } generation ? Readable.Number(generation) : "manifest",
                problem.Code.ToString(),
                problem.Offset is { } offset ? Readable.Number(offset) : "",
                problem.Message);
        }

        console.Print(table);
        console.Bad($"\nDamaged: {Readable.Count(report.Problems.Count, "problem")}; {read}");
    }
}
