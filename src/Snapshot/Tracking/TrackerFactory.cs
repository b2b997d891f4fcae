using Snapshot.Base;
using Snapshot.Interop;
using Snapshot.Memory;

namespace Snapshot.Tracking;

/// <summary>Chooses the mechanism of a session once and makes its trackers; owns the descriptors they share.</summary>
/// <remarks>
/// Disposing it while trackers exist is allowed, but for those that freeze: the descriptors close with the last of
/// them.
/// </remarks>
internal sealed unsafe class TrackerFactory : IDisposable
{
    /// <summary>1 GiB: of less, one thread looks through the page tables before a second one has woken up.</summary>
    private const long ManyPages = 1 << 18;

    private readonly UserfaultDescriptor? _userfault;
    private readonly PagemapDescriptor? _pagemap;
    private readonly ScanCrew? _crew;
    private readonly KernelCapabilities _capabilities;
    private readonly Lock _starting = new();
    private Freezer? _freezer;

    /// <param name="capabilities">What the machine can do.</param>
    /// <param name="wanted">A mechanism, or Auto.</param>
    /// <param name="forFaults">Whether pages of arenas are to be fetched when they are touched.</param>
    /// <exception cref="SnapshotException">Unsupported: the machine cannot do what was asked for by name.</exception>
    internal TrackerFactory(KernelCapabilities capabilities, TrackingMechanism wanted, bool forFaults = false)
    {
        capabilities.ThrowIfUnsupported();
        _capabilities = capabilities;
        IsPinned = wanted != TrackingMechanism.Auto;
        Mechanism = Choose(capabilities, wanted);
        if (forFaults) ThrowUnlessFaultsAreServed(capabilities);
        try
        {
            if (Mechanism == TrackingMechanism.WriteProtect) _userfault = UserfaultDescriptor.Open(forFaults);
            if (!capabilities.PagemapScan) return;
            _pagemap = PagemapDescriptor.Open();
            _crew = new ScanCrew(_pagemap);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Whether the mechanism was asked for by name.</summary>
    internal bool IsPinned { get; }

    /// <summary>What arenas are tracked with where they are not frozen; never Auto.</summary>
    internal TrackingMechanism Mechanism { get; }

    /// <summary>
    /// What arenas are registered with. A mapping belongs to one userfaultfd, so whoever serves faults of an arena must
    /// use this one. Null with content hashes.
    /// </summary>
    internal UserfaultDescriptor? Userfault => _userfault;

    /// <summary>Whether <see cref="CreateFreezing"/> works here.</summary>
    internal bool CanFreeze => _capabilities.CopyOnWrite;

    /// <summary>Whether memory can be frozen and system calls may write it all the same: they wait.</summary>
    internal bool CanFreezeUnnoticed => _capabilities is { CopyOnWrite: true, CopyOnWriteInSystemCalls: true };

    /// <summary>What serves the writes to frozen memory, or null when there is none yet.</summary>
    internal Freezer? Freezer => Volatile.Read(ref _freezer);

    /// <summary>A tracker for page-aligned private anonymous memory that also freezes it.</summary>
    /// <exception cref="SnapshotException">Unsupported; SystemCall.</exception>
    internal FreezingTracker CreateFreezing(MemoryRegion region)
    {
        ThrowUnlessCanFreeze();
        lock (_starting) Volatile.Write(ref _freezer, _freezer ?? new Freezer());
        return new FreezingTracker(region, _freezer!, _pagemap!);
    }

    /// <summary>
    /// How much of a region's populated memory is in huge pages, 0 to 1; of one that has none yet, what it will get.
    /// </summary>
    internal double HugePart(MemoryRegion region)
    {
        if (_pagemap is null || _capabilities.HugePages is not ("always" or "madvise")) return 0;
        using PageScan scan = new(_pagemap);
        ulong start = (ulong)region.Address;
        ulong end = start + (ulong)region.CommittedBytes;
        double populated = scan.Count(start, end, PageFilter.Present);
        return populated == 0 ? 1 : scan.Count(start, end, PageFilter.Huge) / populated;
    }

    /// <summary>A tracker for page-aligned private anonymous memory.</summary>
    internal DirtyTracker CreateForArena(MemoryRegion region) => Mechanism == TrackingMechanism.WriteProtect
        ? new WriteProtectTracker(region, _userfault!, _pagemap!, _crew!)
        : new ContentHashTracker(region, _pagemap);

    /// <summary>Prepares for looking at that much memory: in the pause no thread is started any more.</summary>
    internal void PrepareFor(long pages)
    {
        if (pages >= ManyPages) _crew?.Man();
    }

    /// <summary>
    /// A tracker for memory that belongs to somebody else. Always content hash: its pages hold other things, too, and
    /// nothing is known of its mapping.
    /// </summary>
    internal DirtyTracker CreateForBuffer(MemoryRegion region) => new ContentHashTracker(region, _pagemap);

    public void Dispose()
    {
        _freezer?.Dispose();
        _crew?.Dispose();
        _userfault?.Dispose();
        _pagemap?.Dispose();
    }

    /// <exception cref="SnapshotException">Unsupported: copy-on-write does not work here.</exception>
    internal void ThrowUnlessCanFreeze()
    {
        if (CanFreeze) return;
        throw new SnapshotException(
            SnapshotErrorCode.Unsupported,
            "Copy-on-write capture was asked for by name and does not work here. Probed: " +
            _capabilities.Describe(
                KernelCapabilities.UserfaultName, KernelCapabilities.CopyOnWriteName,
                KernelCapabilities.PagemapScanName) +
            ". It needs Linux 6.7 or newer and permission to call userfaultfd (containers forbid it by their seccomp " +
            "profile). Use CaptureMode.Auto on this machine.");
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
        TrackingMechanism.ServedWriteProtect => throw new SnapshotException(
            SnapshotErrorCode.Unsupported,
            "Served write protection is chosen by CaptureMode.CopyOnWrite; as SnapshotOptions.Tracking, which is for " +
            "what is captured otherwise, choose Auto, WriteProtect or ContentHash."),
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
