namespace Snapshot;

/// <summary>A checkpoint whose memory is captured: the application goes on, nothing is durable yet.</summary>
public sealed record CaptureInfo
{
    /// <summary>The generation it will be when it commits.</summary>
    public required long Generation { get; init; }

    /// <summary>How pages were copied.</summary>
    public required CaptureMode Mode { get; init; }

    /// <summary>Why that mode was used.</summary>
    public required string ModeReason { get; init; }

    /// <summary>Pages that tracking reported as written since the last checkpoint.</summary>
    public required long PagesTracked { get; init; }

    /// <summary>The prepare parts of the async handlers and the copying that went on beside them.</summary>
    public required TimeSpan Prepare { get; init; }

    /// <summary>The pause.</summary>
    public required PauseInfo Pause { get; init; }
}
