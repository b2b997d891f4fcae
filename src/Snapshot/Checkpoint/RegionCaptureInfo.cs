namespace Snapshot;

/// <summary>How one arena or protected buffer was captured.</summary>
public sealed class RegionCaptureInfo
{
    internal RegionCaptureInfo(
        string name, CaptureMode mode, string reason, TrackingMechanism tracking, long pagesTracked)
    {
        Name = name;
        Mode = mode;
        Reason = reason;
        Tracking = tracking;
        PagesTracked = pagesTracked;
    }

    /// <summary>The name of the arena or the buffer.</summary>
    public string Name { get; }

    /// <summary>The mode; never Auto.</summary>
    public CaptureMode Mode { get; }

    /// <summary>Why that mode was used.</summary>
    public string Reason { get; }

    /// <summary>What told which pages were written; never Auto.</summary>
    public TrackingMechanism Tracking { get; }

    /// <summary>
    /// Pages of 4096 bytes that it told. With copy-on-write it may tell more than were written.
    /// </summary>
    public long PagesTracked { get; }
}
