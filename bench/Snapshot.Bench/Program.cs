using System.CommandLine;
using Snapshot.Bench;

RootCommand root = new("Measures checkpoints end to end, each figure beside the hardware's own in the same run.");
root.Subcommands.Add(ScenarioCommand.Create(
    "pause", "How long the application stands still, beside a memcpy of the bytes that changed.", "auto"));
root.Subcommands.Add(ScenarioCommand.Create(
    "drain", "How fast an image is written, beside dd with direct I/O to the same directory.", "none"));
root.Subcommands.Add(FibersCommand.Create());
return root.Parse(args).Invoke();
