namespace Snapshot.Bench;

/// <summary>A state of which so much is rewritten before each of so many checkpoints.</summary>
internal sealed record DiskUseSetup
{
    internal required long ArenaBytes { get; init; }

    internal required double DirtyPercent { get; init; }

    internal required int Rounds { get; init; }

    internal required int KeepLast { get; init; }

    internal required CaptureMode Capture { get; init; }

    internal required string Directory { get; init; }
}
