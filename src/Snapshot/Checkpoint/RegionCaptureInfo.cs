namespace Snapshot;

/// <summary>How one arena or protected buffer was captured.</summary>
public sealed record RegionCaptureInfo
{
    /// <summary>The name of the arena or the buffer.</summary>
    public required string Name { get; init; }

    /// <summary>The mode; never Auto.</summary>
    public required CaptureMode Mode { get; init; }

    /// <summary>Why that mode was used.</summary>
    public required string Reason { get; init; }

    /// <summary>What told which pages were written; never Auto.</summary>
    public required TrackingMechanism Tracking { get; init; }

    /// <summary>Pages of 4096 bytes that it told. With copy-on-write it may tell more than were written.</summary>
    public required long PagesTracked { get; init; }
}
