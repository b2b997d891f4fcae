namespace Snapshot.Bench;

/// <summary>So many threads, each of which writes its own part of each of so many arenas.</summary>
internal sealed record CrowdSetup
{
    internal required int Threads { get; init; }

    internal required int Arenas { get; init; }

    /// <summary>Of all arenas together.</summary>
    internal required long ArenaBytes { get; init; }

    internal required double DirtyPercent { get; init; }

    internal required bool IsDense { get; init; }

    internal required int Rounds { get; init; }

    internal required CaptureMode Capture { get; init; }

    internal required string Directory { get; init; }

    /// <summary>Pages of one thread in one arena.</summary>
    internal long PagesOfPart => ArenaBytes / Arenas / Threads / PagePattern.PageBytes;

    /// <summary>Those of them that a round writes.</summary>
    internal PagePattern Pattern => new(PagesOfPart, DirtyPercent, IsDense);

    /// <summary>First writes of one round.</summary>
    internal long Writes => Pattern.DirtyPages * Threads * Arenas;
}
