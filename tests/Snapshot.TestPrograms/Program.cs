using System.Globalization;
using Snapshot.TestPrograms;
using Snapshot.TestPrograms.Life;

// The programs that tests start as processes of their own: one verb, one line.
return (args is [string verb, ..] ? verb : "") switch
{
    "stacks-target" => StacksTarget.Run(),
    "signal-target" => SignalTarget.Run(),
    "dying" => DyingProgram.Run(args[1], long.Parse(args[2], CultureInfo.InvariantCulture)),
    "tracker-as-user" => TrackerAsUser.Run(),
    "lazy-as-user" => LazyRestarts.AsUser(),
    "lazy-closed" => LazyRestarts.CloseUnderParticipant(args[1], int.Parse(args[2], CultureInfo.InvariantCulture)),
    "lazy-touch" => LazyRestarts.TouchAll(args[1]),
    "cow-killed" => CopyOnWriteRuns.OverwriteWhileDraining(args[1]),
    "cow-goes-on" => CopyOnWriteRuns.GoOn(args[1]),
    "cow-as-user" => CopyOnWriteRuns.AsUser(),
    "writer" => Writer.Run(args[1], bool.Parse(args[2])),
    "sync-fails" => SyncFailures.Run(args[1], bool.Parse(args[2])),
    "filtered-life" => FilteredLife.Run(args[1], Enum.Parse<Snapshot.RestartFill>(args[2])),
    "limited-life" => LimitedLife.Run(args[1], long.Parse(args[2], CultureInfo.InvariantCulture),
        Enum.Parse<Snapshot.CaptureMode>(args[3])),
    "file-limit" => FileLimit.Run(args[1]),
    "durable-flush" => DurableFlushes.Run(args[1]),
    "founding" => FoundingScenario.Run(args[1]),
    "founding-fibers" => FiberFoundingScenario.Run(args[1]),
    "fiber-constructs" => FiberConstructsProgram.Run(args[1]),
    "kernels" => KernelProgram.Run(args[1..]),
    "kernel-founding" => KernelScenes.Founding(args[1], args[2]),
    "kernel-late" => KernelScenes.Late(args[1], args[2], args[3]),
    "kernel-handlers" => KernelScenes.Handlers(args[1], args[2]),
    "kernel-place-taken" => KernelScenes.PlaceTaken(args[1], args[2]),
    "kernel-signal-taken" => KernelScenes.SignalTaken(args[1]),
    "kernel-twice" => KernelScenes.Twice(args[1]),
    "kernel-sharing" => KernelScenes.Sharing(args[1], args[2]),
    "kernel-asking" => KernelScenes.Asking(args[1], args[2]),
    "kernel-audited" => KernelScenes.Audited(args[1], args[2]),
    "kernel-load" => KernelScenes.Load(args[1], args[2], args[3..]),
    "fiber-library" => FiberLibraryProgram.Run(args[1], args[2], args[3..]),
    "life" => LifeProgram.Run(args[1..]),
    _ => throw new ArgumentException($"unknown verb in: {string.Join(' ', args)}"),
};
