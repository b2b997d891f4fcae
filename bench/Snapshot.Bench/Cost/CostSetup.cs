namespace Snapshot.Bench;

/// <summary>The computation, the same for everybody who checkpoints it.</summary>
internal sealed record CostSetup
{
    internal required long ArenaBytes { get; init; }

    internal required int Threads { get; init; }

    /// <summary>How many checkpoints are taken, the first of them of everything.</summary>
    internal required int Checkpoints { get; init; }

    /// <summary>Of the pages, those rewritten at random between two checkpoints.</summary>
    internal required double DirtyPercent { get; init; }

    /// <summary>How long the computation between two checkpoints takes by itself, about.</summary>
    internal required TimeSpan Epoch { get; init; }

    internal required BlockEncoding Encoding { get; init; }

    internal required string Directory { get; init; }

    internal long Pages => ArenaBytes / PagePattern.PageBytes;
}
