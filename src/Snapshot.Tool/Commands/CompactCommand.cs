using System.CommandLine;
using Snapshot.Tool.Output;

namespace Snapshot.Tool.Commands;

/// <summary>What a compaction did.</summary>
/// <param name="Changed">False when the image was full already.</param>
/// <param name="BytesBefore">The length of the image before.</param>
/// <param name="Generation">The generation after.</param>
internal sealed record CompactResult(bool Changed, long BytesBefore, GenerationInfo Generation);

/// <summary>
/// <c>snapshot compact STORE [GENERATION]</c>: makes a generation independent of older ones.
/// </summary>
internal sealed class CompactCommand : Command
{
    internal CompactCommand(ToolConsole console)
        : base(
            "compact",
            "Replaces an incremental image by a full one of the same state, so that it needs no older " +
            "generation.")
    {
        Argument<string> path = CommandParts.Store();
        Option<bool> json = CommandParts.Json();
        Add(path);
        GenerationChoice generation = GenerationChoice.ByArgument(this, "the newest");
        Option<double> wait = CommandParts.Wait();
        Add(wait);
        Add(json);
        SetAction((parsed, cancellation) => RunAsync(
            console, parsed.GetRequiredValue(path), generation.In(parsed), parsed.GetValue(wait),
            parsed.GetValue(json), cancellation));
    }

    private static async Task<int> RunAsync(
        ToolConsole console, string path, GenerationName asked, double wait, bool json,
        CancellationToken cancellation)
    {
        using SnapshotStore store = CommandParts.OpenExisting(console, path, wait);
        long generation = asked.OrNewest(store);
        GenerationInfo before = store.Describe(generation).Info;
        GenerationInfo after = before.Kind == GenerationKind.Full
            ? before
            : await ToolProgress.RunAsync(
                console, "Compacting", progress => store.CompactAsync(generation, progress, cancellation));

        CompactResult result = new(after != before, before.FileBytes, after);
        if (json) console.WriteJson(result, ToolJson.Default.CompactResult);
        else console.Results.Line(Describe(result));
        return ExitCode.Fine;
    }

    private static string Describe(CompactResult result) => result.Changed
        ? $"Generation {Readable.Number(result.Generation.Generation)} is full now: " +
            $"{result.Generation.FileName}, {Readable.Bytes(result.BytesBefore)} before, " +
            $"{Readable.Bytes(result.Generation.FileBytes)} after"
        : $"Generation {Readable.Number(result.Generation.Generation)} was full already; nothing to do";
}
