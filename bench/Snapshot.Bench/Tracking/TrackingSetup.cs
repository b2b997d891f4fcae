namespace Snapshot.Bench;

/// <summary>Memory of which a part is written before each checkpoint, and what finds that part.</summary>
internal sealed record TrackingSetup
{
    internal required TrackingMechanism Mechanism { get; init; }

    internal required long ArenaBytes { get; init; }

    /// <summary>Whether the arena asks for huge pages.</summary>
    internal required bool IsHuge { get; init; }

    internal required double DirtyPercent { get; init; }

    internal required int Rounds { get; init; }

    internal required string Directory { get; init; }

    internal PagePattern Pattern => new(ArenaBytes / PagePattern.PageBytes, DirtyPercent, IsDense: false);

    /// <summary>What rows have in common that differ in the mechanism alone.</summary>
    internal (long ArenaBytes, bool IsHuge, double DirtyPercent) Memory => (ArenaBytes, IsHuge, DirtyPercent);
}
