using System.CommandLine;
using Snapshot.Mpi.Manifest;
using Snapshot.Tool.Output;

namespace Snapshot.Tool.Commands;

/// <summary>What a rollback chose.</summary>
/// <param name="Restart">The generation that the next restart takes, or null for the newest.</param>
/// <param name="Newest">The newest generation of the store.</param>
internal sealed record RollbackResult(long? Restart, long? Newest);

/// <summary><c>snapshot rollback STORE N</c>: says which generation the next restart takes.</summary>
internal sealed class RollbackCommand : Command
{
    internal RollbackCommand(ToolConsole console)
        : base(
            "rollback",
            "Chooses the generation of the next restart. Nothing is deleted; --undo takes it back.")
    {
        Argument<string> path = CommandParts.Store();
        Option<bool> undo =
            new("--undo") { Description = "Let the next restart take the newest generation again." };
        Option<bool> json = CommandParts.Json();
        Add(path);
        GenerationChoice generation = GenerationChoice.ByArgument(this, "with --undo");
        Add(undo);
        Option<double> wait = CommandParts.Wait();
        Add(wait);
        Add(json);
        Validators.Add(result =>
        {
            if (result.GetResult(undo) is null != generation.IsIn(result))
                result.AddError("Give the number of a generation, its tag, or --undo.");
        });
        SetAction(parsed => Run(
            console, parsed.GetRequiredValue(path), generation.In(parsed), parsed.GetValue(wait),
            parsed.GetValue(json)));
    }

    private static int Run(ToolConsole console, string path, GenerationName chosen, double wait, bool json)
    {
        if (JobSurvey.Of(path) is { } job)
        {
            RollbackResult chosenOfJob = HeldJob.Rollback(console, job, chosen, wait);
            if (json) console.WriteJson(chosenOfJob, ToolJson.Default.RollbackResult);
            else console.Results.Line(Describe(chosenOfJob));
            return ExitCode.Fine;
        }

        using SnapshotStore store = CommandParts.OpenExisting(console, path, wait);
        CommandParts.TellFindings(console, store.Findings);
        store.ChooseRestart(chosen.Of(store));
        RollbackResult result = new(store.RestartGeneration, store.Newest?.Generation);
        if (json) console.WriteJson(result, ToolJson.Default.RollbackResult);
        else console.Results.Line(Describe(result));
        return ExitCode.Fine;
    }

    private static string Describe(RollbackResult result) => result switch
    {
        { Restart: { } chosen } =>
            $"The next restart takes generation {Readable.Number(chosen)}. Younger ones stay, marked as " +
            "passed over from its next checkpoint on; until then 'snapshot rollback STORE --undo' takes it " +
            "back.",
        { Newest: { } newest } => $"The next restart takes the newest generation, {Readable.Number(newest)}.",
        _ => "The store holds no generation yet.",
    };
}
