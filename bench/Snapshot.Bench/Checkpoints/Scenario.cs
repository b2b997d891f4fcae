namespace Snapshot.Bench;

/// <summary>One cell of the matrix that pause and drain measure.</summary>
internal sealed record Scenario
{
    internal required long ArenaBytes { get; init; }

    internal required double DirtyPercent { get; init; }

    internal required bool IsDense { get; init; }

    internal required int Threads { get; init; }

    internal required int Rounds { get; init; }

    internal required CaptureMode Capture { get; init; }

    internal required BlockEncoding Encoding { get; init; }

    internal required bool IsSmooth { get; init; }

    internal required string Directory { get; init; }

    internal PagePattern Pattern => new(ArenaBytes / PagePattern.PageBytes, DirtyPercent, IsDense);

    internal string PatternName => IsDense ? PagePattern.Dense : PagePattern.Random;

    internal string ContentName => IsSmooth ? PageContent.SmoothName : PageContent.NoiseName;

    internal long DirtyBytes => Pattern.DirtyPages * PagePattern.PageBytes;
}
