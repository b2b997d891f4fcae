using System.Numerics;
using System.Runtime.InteropServices;
using Snapshot.Base;
using Snapshot.Interop;
using Snapshot.Memory;

namespace Snapshot.Tracking;

/// <summary>
/// Protects memory itself and serves the writes (userfaultfd in synchronous mode), so that the library learns
/// of each and can copy a page before it is written.
/// </summary>
/// <remarks>
/// <para>The work is done in the C part; freeze.c has the invariants and the argument. A write opens a whole
/// span of 2 MiB: a huge page that is protected and opened as a whole stays one. What a collect reports is
/// therefore coarser than what was written; the content tells in the drain.</para>
/// <para>After <see cref="Collect"/> and while nobody writes, <see cref="Freeze"/> says which pages are
/// wanted as they are; <see cref="Read"/> delivers them, whoever writes meanwhile; <see cref="Thaw"/> ends
/// it. Native code holds the locks: none of these members waits for managed code.</para>
/// <para>Pages without memory are not armed (see <see cref="WriteProtectTracker"/>); a collect looks among
/// those that are not armed for what has memory now. Those that are open for devices
/// (<see cref="DevicePages"/>) are not armed either, and it reports them.</para>
/// <para>Foreign memory is the program's, which may free it, drop it or replace it at any time; foreign.c has
/// the argument. A collect then also reports what lost its protection, and what was frozen can be lost.
/// </para>
/// </remarks>
internal sealed unsafe class FreezingTracker : DirtyTracker, IFrozenPages, IFreezing
{
    internal const int SpanPages = Pages.HugeSize / Pages.Size;

    /// <summary>From as many pages on it is asked whether they have memory at all.</summary>
    private const long ManyPages = 16L << 20 >> Pages.Shift;

    private readonly MemoryRegion _region;
    private readonly Freezer _freezer;
    private readonly PagemapDescriptor? _pagemap;
    private readonly PageBitmap _givenBack;
    private readonly PageBitmap _dropped;

    // Whoever discards memory may have come here just before the tracker was exchanged for another.
    private readonly Lock _ending = new();
    private readonly SparseMemory _tables;
    private RegionState* _state;
    private ulong _spoiledBefore;
    private bool _isLeft;

    /// <param name="region">The memory.</param>
    /// <param name="freezer">Serves the writes to it.</param>
    /// <param name="pagemap">Tells which pages have memory; null: all of them have.</param>
    /// <param name="foreign">
    /// The pages of it that are the program's, and the others are left alone; null: it is memory of our own.
    /// Needs a pagemap that can be scanned, and the full form of userfaultfd.
    /// </param>
    /// <exception cref="SnapshotException">The range cannot be registered.</exception>
    internal FreezingTracker(
        MemoryRegion region, Freezer freezer, PagemapDescriptor? pagemap, PageRange? foreign = null)
    {
        _region = region;
        _freezer = freezer;
        _pagemap = pagemap;
        _givenBack = new PageBitmap(region.CapacityPages);
        _dropped = new PageBitmap(region.CapacityPages);
        _state = MakeState(region, out _tables);
        if (foreign is { } own)
        {
            _state->First = (ulong)own.Start;
            _state->End = (ulong)own.End;
            _state->IsForeign = 1;
            _state->Pagemap = Pagemap;
        }

        int errno = Native.sn_region_add(freezer.State, _state);
        if (errno != 0)
        {
            FreeState();
            throw NativeError.For(
                errno, "UFFDIO_REGISTER",
                $"The memory of '{region.RegionName}' must be private anonymous memory that no other " +
                $"userfaultfd tracks, and one of at most {FreezerState.RegionsMax} such regions; another " +
                "CaptureMode works.");
        }

        bool referenced = false;
        pagemap?.DangerousAddRef(ref referenced);
        region.Frozen = this;

        // Of no pages: a function's first call binds it, which allocates. The first pause is not to pay for
        // that.
        _ = Native.sn_region_collect(freezer.State, _state, Pagemap, LooksBy, 0, null, _dropped.Words);
        _ = Native.sn_region_freeze(freezer.State, _state, 0, _dropped.Words);
    }

    internal override TrackingMechanism Mechanism => _freezer.IsBySignals
        ? TrackingMechanism.SignalWriteProtect
        : TrackingMechanism.ServedWriteProtect;

    internal override bool SeesEveryWrite => true;

    internal override void Arm()
    {
        TakeDropped(_dropped);
        _dropped.Clear();
        CollectInto(_dropped);
        _dropped.Clear();
        _givenBack.Clear();
    }

    internal override void Collect(PageBitmap changed)
    {
        using Lock.Scope held = _region.Devices.Hold();
        bool others = TakeDropped(changed) | _givenBack.NextRun(0, out _);
        CollectInto(changed);
        changed.UnionWith(_givenBack);
        _givenBack.Clear();
        Collected = others ? new PageRange(0, _region.CommittedPages) : Written();
    }

    public PageRange Collected { get; private set; }

    public long FirstInSpan => 0;

    /// <summary>
    /// Arms memory again just before the pause, which is then to protect only what is written after this.
    /// What was dropped, or given back, stays for the pause.
    /// </summary>
    internal override void CollectEarly(PageBitmap changed)
    {
        using Lock.Scope held = _region.Devices.Hold();
        CollectInto(changed, isEarly: true);
    }

    internal override long CountChanged()
    {
        TakeDropped(_givenBack);
        long count = _givenBack.Count();

        // What is not armed was written, or never armed; some of the latter may have no memory.
        for (long word = 0, end = (_region.CommittedPages + 63) >> 6; word < end; word++)
            count += BitOperations.PopCount(~Volatile.Read(ref _state->Armed[word]));
        return count < ManyPages ? count : Math.Min(count, CountPopulated() + _givenBack.Count());
    }

    internal override void GiveBack(PageBitmap pages) => _givenBack.UnionWith(pages);

    internal override void HandOver(PageBitmap pages)
    {
        // Who waits is woken by it. Until this tracker is disposed of its servers find nothing to open here.
        _freezer.LetGo(_state);
        TakeDropped(_givenBack);
        pages.UnionWith(_givenBack);
    }

    public void Freeze(PageBitmap wanted)
    {
        _spoiledBefore = _freezer.Spoiled;
        if (Native.sn_region_freeze(_freezer.State, _state, (ulong)_region.CommittedPages, wanted.Words) != 0)
            ThrowNoSlot();
    }

    public void Read(PageRange pages, Span<byte> target)
    {
        _ = TryRead(Pages.Bytes(pages.Start), target[..(int)Pages.Bytes(pages.Count)], keep: 0);

        // Whoever gives content up says so before it does.
        if (_freezer.Spoiled != _spoiledBefore) ThrowSpoiled();
    }

    /// <summary>
    /// The same of bytes of one span, counted from the first page; those of its pages at the ends stay that
    /// are to be kept.
    /// </summary>
    /// <returns>False: content that was wanted is lost. Only of foreign memory.</returns>
    internal bool TryRead(long from, Span<byte> target, uint keep)
    {
        if (from / Pages.HugeSize != (from + target.Length - 1) / Pages.HugeSize)
            throw new ArgumentOutOfRangeException(nameof(from), "not bytes of one span");
        fixed (byte* to = target)
        {
            return Native.sn_region_read(
                _freezer.State, _state, (ulong)from, (ulong)target.Length, keep, to) == 0;
        }
    }

    /// <summary>Where content was that is lost.</summary>
    internal ulong Lost => Volatile.Read(ref _state->Gone);

    public IEnumerable<long> InDrainOrder(List<long> spans)
    {
        // Never noted, as in a first image: by address, behind the others.
        spans.Sort((left, right) => (OrderOf(left), left).CompareTo((OrderOf(right), right)));
        return new DrainOrder(spans, IsCopied, () => _freezer.IsShortOfSlots).Take();
    }

    /// <summary>
    /// Whether a span was written since the last collect. An estimate while the application runs.
    /// </summary>
    internal bool IsOpened(long span) => Volatile.Read(ref _state->Spans[span].Order) != 0;

    public void Thaw()
    {
        if (_state is null) return;
        _ = Native.sn_region_thaw(_freezer.State, _state, (ulong)_region.CommittedPages);
    }

    public void Secure(PageRange pages)
    {
        lock (_ending)
        {
            if (_state is null) return;
            _ = Native.sn_region_secure(_freezer.State, _state, (ulong)pages.Start, (ulong)pages.Count);
        }
    }

    public void Open(PageRange pages)
    {
        lock (_ending)
        {
            if (_state is null) return;
            _ = Native.sn_region_open(_freezer.State, _state, (ulong)pages.Start, (ulong)pages.Count);
        }
    }

    /// <summary>What is frozen is copied first, and can be read as long as it is not thawed.</summary>
    internal override void Leave()
    {
        if (_isLeft || _state is null) return;
        _isLeft = true;
        Secure(new PageRange(0, _region.CommittedPages));
        Remove();
    }

    public override void Dispose()
    {
        if (_state is null) return;
        if (_region.Frozen == this) _region.Frozen = null;
        Thaw();
        if (!_isLeft) Remove();
        lock (_ending) FreeState();
        _pagemap?.DangerousRelease();
        _givenBack.Dispose();
        _dropped.Dispose();
    }

    /// <summary>
    /// Where the kernel does not end the registration, unmapping the memory or closing the descriptor will.
    /// </summary>
    private void Remove() => _ = Native.sn_region_remove(_freezer.State, _state);

    private int Pagemap => _pagemap?.Number ?? -1;

    private int LooksBy => (int)(_pagemap?.LooksBy ?? ScanMode.Entries);

    private uint OrderOf(long span) => _state->Orders[span] - 1;

    private bool IsCopied(long span)
    {
        ulong any = 0;
        for (int word = 0; word < SpanPages / 64; word++)
            any |= Volatile.Read(ref _state->Copied[(span * SpanPages / 64) + word]);
        return any != 0;
    }

    private void CollectInto(PageBitmap changed, bool isEarly = false)
    {
        long committed = _region.CommittedPages;
        changed.UseUpTo(committed);
        int errno = Native.sn_region_collect(
            _freezer.State, _state, Pagemap, LooksBy | (isEarly ? Native.CollectEarly : 0), (ulong)committed,
            _region.Devices.Open is { } open ? open.Words : null, changed.Words);
        if (errno == 0) return;

        // Some was armed without being reported; now nothing is, and "everything" covers it.
        _givenBack.Add(new PageRange(0, committed));
        throw _freezer.IsBySignals
            ? NativeError.For(errno, "mprotect", "Scattered writes split mappings: raise vm.max_map_count.")
            : NativeError.For(
                errno, "UFFDIO_WRITEPROTECT",
                "Nothing else may map, move or register memory in the address range of an arena.");
    }

    /// <summary>The spans in which the C part found pages, as far as they are committed.</summary>
    private PageRange Written()
    {
        if (_state->ChangedFirst >= _state->ChangedEnd) return default;
        long first = (long)_state->ChangedFirst * SpanPages;
        return new PageRange(
            first, Math.Min((long)_state->ChangedEnd * SpanPages, _region.CommittedPages) - first);
    }

    /// <summary>What was dropped has no protection any more.</summary>
    /// <returns>Whether anything was.</returns>
    private bool TakeDropped(PageBitmap into)
    {
        _region.MoveDroppedTo(_dropped);
        bool any = false;
        for (long at = 0; _dropped.NextRun(at, out PageRange run); at = run.End)
        {
            any = true;
            _ = Native.sn_region_disarm(_freezer.State, _state, (ulong)run.Start, (ulong)run.Count);
        }

        if (into == _dropped) return any;
        if (any) into.UnionWith(_dropped);
        _dropped.Clear();
        return any;
    }

    /// <summary>Pages that have memory.</summary>
    private long CountPopulated()
    {
        if (_pagemap is null) return _region.CommittedPages;
        using PageScan scan = new(_pagemap);
        ulong start = (ulong)_region.Address;
        return scan.Count(start, start + (ulong)_region.CommittedBytes, PageFilter.Present);
    }

    /// <summary>The tables of a region, one after another: those of 8 bytes an element first.</summary>
    private static RegionState* MakeState(MemoryRegion region, out SparseMemory tables)
    {
        long pages = Pages.AlignUp(region.CapacityPages, SpanPages);
        long words = pages / 64, spans = pages / SpanPages;
        tables = new SparseMemory(
            sizeof(RegionState) + (4 * words * sizeof(ulong)) + ((pages + spans) * sizeof(uint)) +
                (spans * sizeof(SpanState)),
            "the tables of frozen pages", apart: true);
        RegionState* state = (RegionState*)tables.Address;
        state->Start = (ulong)region.Address;
        state->PageCount = state->End = (ulong)pages;
        state->Armed = (ulong*)(state + 1);
        state->Written = state->Armed + words;
        state->Frozen = state->Written + words;
        state->Copied = state->Frozen + words;
        state->Slots = (uint*)(state->Copied + words);
        state->Orders = state->Slots + pages;
        state->Spans = (SpanState*)(state->Orders + spans);
        return state;
    }

    private void FreeState()
    {
        _tables.Dispose();
        _state = null;
    }

    private void ThrowSpoiled() => throw new SnapshotException(
        SnapshotErrorCode.StagingFull,
        $"Writes to '{_region.RegionName}' found no room for copies of what the checkpoint still had to " +
        "read, and could not wait any longer. Raise SnapshotTuning.StagingLimit, or vm.max_map_count. " +
        "Nothing was lost: the next checkpoint contains these pages.");

    private void ThrowNoSlot() => throw new SnapshotException(
        SnapshotErrorCode.StagingFull,
        $"Pages of '{_region.RegionName}' are open for devices, or were written during the pause, and " +
        "there is no room for copies of them. Raise SnapshotTuning.StagingLimit, or open less for devices; " +
        "threads that do not take part must not write arenas. Nothing was lost: the next checkpoint " +
        "contains these pages.");
}
