namespace Snapshot;

/// <summary>A checkpoint whose memory is captured: the application goes on, nothing is durable yet.</summary>
public sealed record CaptureInfo
{
    /// <summary>The generation it will be when it commits.</summary>
    public required long Generation { get; init; }

    /// <summary>How each arena and protected buffer was captured.</summary>
    public required IReadOnlyList<RegionCaptureInfo> Regions { get; init; }

    /// <summary>The mode of the region with the most written pages, as a rule that of all arenas.</summary>
    public CaptureMode Mode => Largest?.Mode ?? CaptureMode.Stage;

    /// <summary>Why that mode was used.</summary>
    public string ModeReason => Largest?.Reason ?? "there is no memory to capture";

    /// <summary>Pages that tracking reported as written since the last checkpoint.</summary>
    public required long PagesTracked { get; init; }

    /// <summary>The prepare parts of the async handlers and the copying that went on beside them.</summary>
    public required TimeSpan Prepare { get; init; }

    /// <summary>The pause.</summary>
    public required PauseInfo Pause { get; init; }

    private RegionCaptureInfo? Largest => Regions.MaxBy(region => region.PagesTracked);
}
