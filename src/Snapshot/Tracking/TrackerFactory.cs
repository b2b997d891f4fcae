using Snapshot.Base;
using Snapshot.Interop;
using Snapshot.Memory;

namespace Snapshot.Tracking;

/// <summary>Chooses the mechanism of a session once and makes its trackers; owns the descriptors they share.</summary>
/// <remarks>Disposing it while trackers exist is allowed: the descriptors close with the last of them.</remarks>
internal sealed class TrackerFactory : IDisposable
{
    private readonly UserfaultDescriptor? _userfault;
    private readonly PagemapDescriptor? _pagemap;

    /// <param name="capabilities">What the machine can do.</param>
    /// <param name="wanted">A mechanism, or Auto.</param>
    /// <exception cref="SnapshotException">Unsupported: the machine cannot do what was asked for by name.</exception>
    internal TrackerFactory(KernelCapabilities capabilities, TrackingMechanism wanted)
    {
        capabilities.ThrowIfUnsupported();
        Mechanism = Choose(capabilities, wanted);
        if (Mechanism == TrackingMechanism.WriteProtect) _userfault = UserfaultDescriptor.Open();
        if (capabilities.PagemapScan) _pagemap = PagemapDescriptor.Open();
    }

    /// <summary>What arenas are tracked with; never Auto.</summary>
    internal TrackingMechanism Mechanism { get; }

    /// <summary>A tracker for page-aligned private anonymous memory.</summary>
    internal DirtyTracker CreateForArena(MemoryRegion region) => Mechanism == TrackingMechanism.WriteProtect
        ? new WriteProtectTracker(region, _userfault!, _pagemap!)
        : new ContentHashTracker(region, _pagemap);

    /// <summary>
    /// A tracker for memory that belongs to somebody else. Always content hash: its pages hold other things, too, and
    /// nothing is known of its mapping.
    /// </summary>
    internal DirtyTracker CreateForBuffer(MemoryRegion region) => new ContentHashTracker(region, _pagemap);

    public void Dispose()
    {
        _userfault?.Dispose();
        _pagemap?.Dispose();
    }

    private static TrackingMechanism Choose(KernelCapabilities capabilities, TrackingMechanism wanted) => wanted switch
    {
        TrackingMechanism.Auto =>
            capabilities.WriteProtectTracking ? TrackingMechanism.WriteProtect : TrackingMechanism.ContentHash,
        TrackingMechanism.ContentHash => wanted,
        TrackingMechanism.WriteProtect when capabilities.WriteProtectTracking => wanted,
        TrackingMechanism.WriteProtect => throw new SnapshotException(
            SnapshotErrorCode.Unsupported,
            "Write-protect tracking was asked for by name and does not work here. Probed: " +
            capabilities.Describe(
                KernelCapabilities.UserfaultName, KernelCapabilities.WriteTrackingName,
                KernelCapabilities.KernelWritesName, KernelCapabilities.PagemapScanName) +
            ". It needs Linux 6.7 or newer and permission to call userfaultfd (containers forbid it by their seccomp " +
            "profile). Choose Auto or ContentHash to run on this machine."),
        _ => throw new ArgumentOutOfRangeException(nameof(wanted), wanted, "not a tracking mechanism"),
    };
}
