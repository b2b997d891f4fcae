namespace Snapshot.Bench;

/// <summary>What is measured.</summary>
internal sealed record Scenario
{
    internal required string Name { get; init; }

    internal required long ArenaBytes { get; init; }

    internal required double DirtyPercent { get; init; }

    internal required bool IsDense { get; init; }

    internal required int Threads { get; init; }

    internal required int Rounds { get; init; }

    internal required CaptureMode Capture { get; init; }

    internal required BlockEncoding Encoding { get; init; }

    internal required string Directory { get; init; }

    internal long Pages => ArenaBytes / 4096;

    internal long DirtyPages => Math.Max(1, (long)(Pages * DirtyPercent / 100));
}
