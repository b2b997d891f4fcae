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
    /// <param name="forFaults">Whether pages of arenas are to be fetched when they are touched.</param>
    /// <exception cref="SnapshotException">Unsupported: the machine cannot do what was asked for by name.</exception>
    internal TrackerFactory(KernelCapabilities capabilities, TrackingMechanism wanted, bool forFaults = false)
    {
        capabilities.ThrowIfUnsupported();
        Mechanism = Choose(capabilities, wanted);
        if (forFaults) ThrowUnlessFaultsAreServed(capabilities);
        if (Mechanism == TrackingMechanism.WriteProtect) _userfault = UserfaultDescriptor.Open(forFaults);
        if (capabilities.PagemapScan) _pagemap = PagemapDescriptor.Open();
    }

    /// <summary>What arenas are tracked with; never Auto.</summary>
    internal TrackingMechanism Mechanism { get; }

    /// <summary>
    /// What arenas are registered with. A mapping belongs to one userfaultfd, so whoever serves faults of an arena must
    /// use this one. Null with content hashes.
    /// </summary>
    internal UserfaultDescriptor? Userfault => _userfault;

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

    private void ThrowUnlessFaultsAreServed(KernelCapabilities capabilities)
    {
        if (Mechanism == TrackingMechanism.WriteProtect && capabilities.PagesOnDemand) return;
        string why = Mechanism == TrackingMechanism.WriteProtect
            ? "it does not work here"
            : "tracking is by content here, which would have to read all memory at once";
        throw new SnapshotException(
            SnapshotErrorCode.Unsupported,
            $"A lazy restart was asked for by name, and {why}. Probed: " +
            capabilities.Describe(
                KernelCapabilities.UserfaultName, KernelCapabilities.WriteTrackingName,
                KernelCapabilities.PagesOnDemandName) +
            ". It needs write-protect tracking (Linux 6.7 or newer, permission to call userfaultfd). Restart eagerly " +
            "on this machine.");
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
