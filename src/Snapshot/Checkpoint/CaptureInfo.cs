namespace Snapshot;

/// <summary>A checkpoint whose memory is captured: the application goes on, nothing is durable yet.</summary>
public sealed class CaptureInfo
{
    internal CaptureInfo(
        long generation, IReadOnlyList<RegionCaptureInfo> regions, long pagesTracked, TimeSpan prepare,
        PauseInfo pause)
    {
        Generation = generation;
        Regions = regions;
        PagesTracked = pagesTracked;
        Prepare = prepare;
        Pause = pause;
    }

    /// <summary>The generation it will be when it commits.</summary>
    public long Generation { get; }

    /// <summary>How each arena and protected buffer was captured.</summary>
    public IReadOnlyList<RegionCaptureInfo> Regions { get; }

    /// <summary>The mode of the region with the most written pages, as a rule that of all arenas.</summary>
    public CaptureMode Mode => Largest?.Mode ?? CaptureMode.Stage;

    /// <summary>Why that mode was used.</summary>
    public string ModeReason => Largest?.Reason ?? "there is no memory to capture";

    /// <summary>Pages that tracking reported as written since the last checkpoint.</summary>
    public long PagesTracked { get; }

    /// <summary>The prepare parts of the async handlers and the copying that went on beside them.</summary>
    public TimeSpan Prepare { get; }

    /// <summary>The pause.</summary>
    public PauseInfo Pause { get; }

    private RegionCaptureInfo? Largest => Regions.MaxBy(region => region.PagesTracked);
}
