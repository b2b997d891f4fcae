namespace Snapshot.Bench;

/// <summary>Memory of the program, of which a part is written before each checkpoint.</summary>
internal sealed record ForeignSetup
{
    internal required long Bytes { get; init; }

    /// <summary>Where in its page it begins: 0 where it is aligned, 16 where malloc gave it.</summary>
    internal required int Offset { get; init; }

    internal required double DirtyPercent { get; init; }

    internal required bool IsDense { get; init; }

    /// <summary>Whether all of it is hashed to find what changed.</summary>
    internal required bool IsHashed { get; init; }

    internal required int Rounds { get; init; }

    internal required string Directory { get; init; }

    internal PagePattern Pattern => new(Bytes / PagePattern.PageBytes, DirtyPercent, IsDense);

    /// <summary>What rows have in common that differ in how changes are found.</summary>
    internal (long Bytes, int Offset, bool IsDense) Memory => (Bytes, Offset, IsDense);
}
