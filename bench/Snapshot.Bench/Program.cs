using System.CommandLine;
using System.Globalization;
using Snapshot.Bench;

// Processes that `restart` starts and measures.
if (args is [RestartChild.TouchCommandName, string bytes])
    return RestartChild.Touch(long.Parse(bytes, CultureInfo.InvariantCulture));
if (args is [RestartChild.CommandName, string childStore, string fill, string reading])
    return RestartChild.Run(childStore, fill, reading);

RootCommand root = new("Measures checkpoints end to end, each figure beside the hardware's own in the same run.");
root.Subcommands.Add(ScenarioCommand.Create(
    "pause", "How long the application stands still, beside a memcpy of the bytes that changed.", "auto"));
root.Subcommands.Add(ScenarioCommand.Create(
    "drain", "How fast an image is written, beside dd with direct I/O to the same directory.", "none"));
root.Subcommands.Add(FibersCommand.Create());
root.Subcommands.Add(RestartCommand.Create());
return root.Parse(args).Invoke();
