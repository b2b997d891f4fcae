using Snapshot.Base;
using Snapshot.Interop;
using Snapshot.Memory;

namespace Snapshot.Tracking;

/// <summary>
/// Chooses the mechanism of a session once and makes its trackers; owns the descriptors they share.
/// </summary>
/// <remarks>
/// Disposing it while trackers exist is allowed, but for those that freeze: the descriptors close with the
/// last of them.
/// </remarks>
internal sealed unsafe class TrackerFactory : IDisposable
{
    /// <summary>
    /// 1 GiB: of less, one thread looks through the page tables before a second one has woken up.
    /// </summary>
    private const long ManyPages = 1 << 18;

    /// <summary>32 MiB: the same of hashing.</summary>
    private const long ManyToHash = 1 << 13;

    /// <summary>Of less, a copy inside the pause is as cheap as the faults of writes.</summary>
    private const long BufferFrozenFrom = 8L << 20;

    /// <summary>The part of a buffer that says nothing yet of what its pages will be.</summary>
    private const int NearlyNone = 16;

    private readonly UserfaultDescriptor? _userfault;
    private readonly PagemapDescriptor? _pagemap;
    private readonly ScanCrew? _crew;
    private readonly SoftDirtyBits? _softDirty;
    private readonly MappingLookup? _mappings;
    private readonly MachineCapabilities _capabilities;
    private readonly bool _systemCallsMustWork;
    private readonly Lock _starting = new();
    private Freezer? _freezer;

    /// <param name="capabilities">What the machine can do.</param>
    /// <param name="wanted">A mechanism, or Auto.</param>
    /// <param name="forFaults">Whether pages of arenas are to be fetched when they are touched.</param>
    /// <param name="systemCallsMustWork">Whether what makes them fail in arenas is refused.</param>
    /// <exception cref="SnapshotException">
    /// Unsupported: this machine cannot do what was asked for.
    /// </exception>
    internal TrackerFactory(
        MachineCapabilities capabilities, TrackingMechanism wanted, bool forFaults = false,
        bool systemCallsMustWork = false)
    {
        capabilities.ThrowIfUnsupported();
        if (systemCallsMustWork && wanted == TrackingMechanism.SignalWriteProtect)
        {
            throw Unsupported(
                "The program asks for tracking by signals, with which system calls that write to an arena " +
                "fail with EFAULT, and says that they must work (SnapshotOptions.SystemCallsMustWork). " +
                "Choose another TrackingMechanism.");
        }

        _capabilities = capabilities;
        _systemCallsMustWork = systemCallsMustWork;
        IsPinned = wanted != TrackingMechanism.Auto;
        Mechanism = Choose(capabilities, wanted, ref _softDirty);
        try
        {
            if (forFaults) ThrowUnlessFaultsAreServed(capabilities);
            if (Mechanism == TrackingMechanism.WriteProtect) _userfault = UserfaultDescriptor.Open(forFaults);
            _mappings = MappingLookup.TryOpen();
            if (!capabilities[Capability.Pagemap]) return;
            _pagemap = PagemapDescriptor.Open(capabilities[Capability.PagemapScan]);
            _crew = new ScanCrew(_pagemap);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Whether the mechanism was asked for explicitly.</summary>
    internal bool IsPinned { get; }

    /// <summary>What arenas are tracked with where they are not frozen; never Auto.</summary>
    internal TrackingMechanism Mechanism { get; }

    /// <inheritdoc cref="DirtyTracker.SeesEveryWrite"/>
    internal bool SeesEveryWrite => Mechanism == TrackingMechanism.WriteProtect;

    /// <summary>
    /// Whether written pages can be found before the pause by stopping for it: <see cref="TakeWritten"/>.
    /// </summary>
    internal bool FindsByStopping => _softDirty is not null;

    /// <summary>Whether pages of arenas can be copied before the pause, in one way or the other.</summary>
    internal bool CopiesBefore => SeesEveryWrite || FindsByStopping;

    /// <summary>
    /// What arenas are registered with. A mapping belongs to one userfaultfd, so whoever serves faults of an
    /// arena must use this one. Null with content hashes.
    /// </summary>
    internal UserfaultDescriptor? Userfault => _userfault;

    /// <summary>Who helps the checkpoint thread in the pause, or null.</summary>
    internal ScanCrew? Crew => _crew;

    /// <summary>Whether <see cref="CreateFreezing"/> works here.</summary>
    internal bool CanFreeze => IsBySignals || _capabilities[Capability.CopyOnWrite];

    /// <summary>Whether memory is protected by mprotect, and arenas are frozen and nothing else.</summary>
    internal bool IsBySignals => Mechanism == TrackingMechanism.SignalWriteProtect;

    /// <summary>Whether memory can be frozen and system calls may write it all the same: they wait.</summary>
    internal bool CanFreezeUnnoticed => _capabilities[Capability.CopyOnWriteInSystemCalls];

    /// <summary>What serves the writes to frozen memory, or null when there is none yet.</summary>
    internal Freezer? Freezer => Volatile.Read(ref _freezer);

    /// <summary>A tracker for page-aligned private anonymous memory that also freezes it.</summary>
    /// <exception cref="SnapshotException">Unsupported; SystemCall.</exception>
    internal FreezingTracker CreateFreezing(MemoryRegion region)
    {
        ThrowUnlessCanFreeze();
        return new FreezingTracker(region, StartFreezer(), _pagemap);
    }

    /// <summary>
    /// How much of a region's populated memory is in huge pages, 0 to 1; of one that has none yet, what it
    /// will get.
    /// </summary>
    internal double HugePart(MemoryRegion region)
    {
        if (_pagemap is null || !_capabilities[Capability.HugePages]) return 0;
        ulong start = (ulong)region.Address;
        ulong end = start + (ulong)region.CommittedBytes;
        if (_pagemap.LooksBy == ScanMode.Entries) return MappedMemory.Of(start, end).HugePart;
        using PageScan scan = new(_pagemap);
        double populated = scan.Count(start, end, PageFilter.Present);
        return populated == 0 ? 1 : scan.Count(start, end, PageFilter.Huge) / populated;
    }

    /// <summary>A tracker for page-aligned private anonymous memory.</summary>
    internal DirtyTracker CreateForArena(MemoryRegion region) => Mechanism switch
    {
        TrackingMechanism.WriteProtect => new WriteProtectTracker(region, _userfault!, _pagemap!, _crew!),
        TrackingMechanism.SoftDirty => new SoftDirtyTracker(region, _softDirty!, _pagemap!, _crew!),
        TrackingMechanism.SignalWriteProtect => CreateFreezing(region),
        _ => new ContentHashTracker(region, _pagemap, _crew),
    };

    /// <summary>
    /// Before the trackers of a session are collected, one after another, while nobody writes; until
    /// <see cref="EndCollect"/>. What can only be asked for all of them at once is asked here. No managed
    /// allocation.
    /// </summary>
    /// <exception cref="SnapshotException">SystemCall. Nothing is lost.</exception>
    internal void BeginCollect()
    {
        _mappings?.Forget();
        _softDirty?.Begin();
    }

    /// <inheritdoc cref="BeginCollect"/>
    internal void EndCollect() => _softDirty?.End();

    /// <summary>
    /// Takes what was written so far, for <see cref="DirtyTracker.CollectEarly"/> of every tracker. Nobody
    /// writes. No managed allocation.
    /// </summary>
    /// <exception cref="SnapshotException">SystemCall. Nothing is lost.</exception>
    internal void TakeWritten() => _softDirty?.Take();

    /// <summary>
    /// Before many trackers are armed, one after another, while nobody writes; until <see cref="EndArming"/>.
    /// </summary>
    internal void BeginArming() => _softDirty?.HoldBack();

    /// <inheritdoc cref="BeginArming"/>
    /// <exception cref="SnapshotException">SystemCall.</exception>
    internal void EndArming() => _softDirty?.ArmTogether();

    /// <summary>
    /// Prepares for looking at that much memory: in the pause no thread is started any more.
    /// </summary>
    internal void PrepareFor(long pages)
    {
        if (pages >= (Mechanism == TrackingMechanism.ContentHash ? ManyToHash : ManyPages)) _crew?.Man();
    }

    /// <summary>A tracker for memory that belongs to somebody else.</summary>
    /// <param name="region">The memory.</param>
    /// <param name="mayWatch">False: it is found changed by its content.</param>
    /// <param name="isInParent">Whether the newest image has it.</param>
    /// <param name="mayFreeze">Whether it may be frozen where it lies, where that is worth while.</param>
    /// <exception cref="SnapshotException">MemoryGone; SystemCall.</exception>
    internal DirtyTracker CreateForBuffer(
        MemoryRegion region, bool mayWatch = true, bool isInParent = false, bool mayFreeze = false)
    {
        UserfaultDescriptor? userfault = _capabilities[Capability.PagemapScan] ? _userfault : null;
        FreezingTerms? freezing = mayFreeze && _capabilities[Capability.CopyOnWriteOfBuffers]
            ? new FreezingTerms(StartFreezer, IsWorthFreezing)
            : null;
        return new BufferTracker(
            region, new BufferTerms(userfault, _pagemap, _crew, _mappings, mayWatch, isInParent, freezing));
    }

    private Freezer StartFreezer()
    {
        lock (_starting) Volatile.Write(ref _freezer, _freezer ?? new Freezer(IsBySignals));
        return _freezer!;
    }

    /// <summary>
    /// Whether half of the memory is in huge pages, at least, or nearly none of it is there yet: a page of
    /// 4 KiB costs as much to protect as to copy.
    /// </summary>
    private bool IsWorthFreezing(ulong start, ulong end)
    {
        if (end - start < BufferFrozenFrom || !_capabilities[Capability.HugePages]) return false;
        using PageScan scan = new(_pagemap!);
        ulong populated = (ulong)scan.Count(start, end, PageFilter.Present);
        return populated < (end - start) / Pages.Size / NearlyNone ||
            2 * (ulong)scan.Count(start, end, PageFilter.Huge) >= populated;
    }

    public void Dispose()
    {
        _freezer?.Dispose();
        _crew?.Dispose();
        _softDirty?.Dispose();
        _userfault?.Dispose();
        _mappings?.Dispose();
        _pagemap?.Dispose();
    }

    /// <exception cref="SnapshotException">
    /// Unsupported: copy-on-write does not work here, or not with system calls that must.
    /// </exception>
    internal void ThrowUnlessCanFreeze()
    {
        if (CanFreeze && (CanFreezeUnnoticed || !_systemCallsMustWork)) return;
        if (CanFreeze)
        {
            throw Unsupported(
                "The program asks for copy-on-write, and says that system calls must work " +
                "(SnapshotOptions.SystemCallsMustWork). Here one that writes to memory that is being " +
                "captured fails with EFAULT, so a message that is received into it fails or never ends, or " +
                "MPI aborts the process. Use CaptureMode.Auto, which does without copy-on-write here. " +
                $"Probed: {_capabilities.Describe(Capability.CopyOnWriteInSystemCalls)}");
        }

        throw Unsupported(
            "The program asks for copy-on-write, which does not work here. Probed: " +
            _capabilities.Describe(Capability.Userfault, Capability.Pagemap, Capability.CopyOnWrite) +
            " Or use CaptureMode.Auto on this machine.");
    }

    /// <summary>
    /// Why memory must be read before the session begins, although the program asks for a lazy restart; null
    /// where it need not.
    /// </summary>
    internal static string? WhyEager(MachineCapabilities capabilities) =>
        capabilities[Capability.PagesOnDemandInSystemCalls]
            ? null
            : "system calls must work, and here one that touches memory which a lazy restart has not read " +
                "yet fails with EFAULT: a message that is sent from it fails, never ends or loses its " +
                $"bytes. Probed: {capabilities.Describe(Capability.PagesOnDemandInSystemCalls)}";

    private void ThrowUnlessFaultsAreServed(MachineCapabilities capabilities)
    {
        if (Mechanism == TrackingMechanism.WriteProtect && capabilities[Capability.PagesOnDemand]) return;
        string why = Mechanism == TrackingMechanism.WriteProtect
            ? "it does not work here"
            : $"pages on demand come only with write-protect tracking; here it is {Mechanism}";
        throw new SnapshotException(
            SnapshotErrorCode.Unsupported,
            $"The program asks for a lazy restart, and {why}. Probed: " +
            capabilities.Describe(Capability.Userfault, Capability.WriteTracking, Capability.PagesOnDemand) +
            " Or restart eagerly on this machine.");
    }

    /// <summary>
    /// What Auto comes to on a machine, if no other session of the process has the soft-dirty bits.
    /// </summary>
    internal static TrackingMechanism Automatic(MachineCapabilities capabilities) =>
        capabilities[Capability.WriteTracking] ? TrackingMechanism.WriteProtect
        : capabilities[Capability.SoftDirty] ? TrackingMechanism.SoftDirty
        : TrackingMechanism.ContentHash;

    private static TrackingMechanism Choose(
        MachineCapabilities capabilities, TrackingMechanism wanted, ref SoftDirtyBits? softDirty)
    {
        switch (wanted)
        {
            case TrackingMechanism.Auto:
                TrackingMechanism best = Automatic(capabilities);
                if (best != TrackingMechanism.SoftDirty) return best;
                softDirty = SoftDirtyBits.TryTake();
                return softDirty is null ? TrackingMechanism.ContentHash : best;
            case TrackingMechanism.ContentHash:
            case TrackingMechanism.SignalWriteProtect:
            case TrackingMechanism.WriteProtect when capabilities[Capability.WriteTracking]:
                return wanted;
            case TrackingMechanism.SoftDirty when capabilities[Capability.SoftDirty]:
                softDirty = SoftDirtyBits.TryTake() ?? throw Unsupported(
                    "The program asks for tracking by soft-dirty bits, and another session of this process " +
                    "has them: Linux clears them for a whole process only. Close that session first, or " +
                    "choose Auto or ContentHash for this one.");
                return wanted;
            case TrackingMechanism.SoftDirty:
                throw NotHere(
                    capabilities, "tracking by soft-dirty bits", Capability.Pagemap, Capability.SoftDirty);
            case TrackingMechanism.WriteProtect:
                throw NotHere(
                    capabilities, "write-protect tracking", Capability.Userfault, Capability.PagemapScan,
                    Capability.WriteTracking);
            case TrackingMechanism.ServedWriteProtect:
                throw Unsupported(
                    "Served write protection is chosen by CaptureMode.CopyOnWrite; as " +
                    "SnapshotTuning.Tracking, which is for what is captured otherwise, choose Auto, " +
                    "WriteProtect, SoftDirty, ContentHash or SignalWriteProtect.");
            default:
                throw new ArgumentOutOfRangeException(nameof(wanted), wanted, "not a tracking mechanism");
        }
    }

    private static SnapshotException NotHere(
        MachineCapabilities capabilities, string what, params Capability[] needed) => Unsupported(
        $"The program asks for {what}, which does not work here. Probed: {capabilities.Describe(needed)} " +
        "Or choose Auto or ContentHash to run on this machine.");

    private static SnapshotException Unsupported(string message) =>
        new(SnapshotErrorCode.Unsupported, message);
}
