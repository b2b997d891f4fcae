using System.CommandLine;

namespace Snapshot.Bench;

/// <summary>All scenarios.</summary>
internal static class BenchRoot
{
    internal static RootCommand Create()
    {
        RootCommand root = new(
            "Measures checkpoints end to end, each figure beside the hardware's own in the " +
            "same run.");
        root.Subcommands.Add(CheckpointCommand.Create(
            CheckpointCommand.Pause,
            "How long the application stands still, beside a memcpy of what it wrote, fork(), and a plain " +
            "file.",
            "auto"));
        root.Subcommands.Add(CheckpointCommand.Create(
            CheckpointCommand.Drain,
            "How fast an image is written, beside dd with direct I/O to the same directory.",
            "none"));
        root.Subcommands.Add(TrackingCommand.Create());
        root.Subcommands.Add(ForeignCommand.Create());
        root.Subcommands.Add(DiskUseCommand.Create());
        root.Subcommands.Add(RestartCommand.Create());
        root.Subcommands.Add(InterferenceCommand.Create());
        root.Subcommands.Add(CostCommand.Create());
        root.Subcommands.Add(CrowdCommand.Create());
        root.Subcommands.Add(ScaleCommand.Create());
        root.Subcommands.Add(RanksCommand.Create());
        root.Subcommands.Add(LivesCommand.Create());
        root.Subcommands.Add(SimulateCommand.Create());
        root.Subcommands.Add(FibersCommand.Create());
        root.Subcommands.Add(NativeCommand.Create());
        root.Subcommands.Add(ResultsCommand.Create(root));
        return root;
    }
}
