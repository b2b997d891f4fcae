using Snapshot.Base;
using Snapshot.Interop;
using Snapshot.Memory;
using Snapshot.Tracking;

namespace Snapshot.Checkpoint;

/// <summary>
/// The memory into which changed pages are copied: page-sized slots, handed out in order, all returned at
/// once. Shared by the regions of a session.
/// </summary>
/// <remarks>
/// Address space for the limit is reserved once, and committed in pieces as slots are needed: where a commit
/// counts (<c>vm.overcommit_memory=2</c>, <c>ulimit -d</c>) what is never staged costs nothing. Where the
/// kernel refuses a piece the area is as full as at its limit. Memory is used as slots are written. Slots
/// that the last checkpoint used stay resident, so that the next one of the same size does not fault inside
/// its pause. No managed allocation after construction. Used by the checkpoint thread alone, but for what it
/// lends: from the end of the pause on the slots that are left are the freezer's, for copies of frozen pages.
/// </remarks>
internal sealed unsafe class StagingArea : IDisposable
{
    // A slot's number has 30 bits in the tables of frozen regions.
    private const long SlotsMax = (1L << 30) - NeedMax;

    // Handing out and pre-faulting go in steps of a huge page.
    private const int StepPages = Pages.HugeSize / Pages.Size;

    // What is committed at once: a system call each, which others who map memory wait for.
    private const int CommitPages = 16 * StepPages;

    // Behind the limit, for writes to frozen memory that must not wait any longer (slots.c): address space
    // only. Where that is limited, too, an eighth of what there is.
    private const long NeedMax = (1L << 30) >> Pages.Shift;
    private const int NeedPart = 8;

    // Before it is known how many copies of frozen pages are needed: 32 MiB. Fresh memory is dear (0.1 to 4 s
    // a GiB, where the machine is virtual), and one checkpoint tells.
    private const long FirstCopies = 1 << 13;

    // Beyond what was used, an eighth of it stays resident, and two steps.
    private const int KeptPart = 8;


    private readonly ulong _base;
    private readonly long _capacity;
    private readonly long _needPages;
    private readonly SparseMemory _next;
    private Freezer? _lentTo;
    private long _committed;
    private uint _needCommitted;
    private int _refused;
    private long _copiesLikely;
    private long _used;
    private long _resident;
    private bool _disposed;

    /// <param name="limitBytes">Bytes that staged pages may take at most.</param>
    internal StagingArea(long limitBytes)
    {
        _capacity = Pages.AlignUp(Math.Min(limitBytes, Pages.Bytes(SlotsMax)), Pages.HugeSize) >> Pages.Shift;
        long spare = AvailableMemory.Now().Bytes / NeedPart >> Pages.Shift;
        _needPages = Math.Clamp(spare & ~(StepPages - 1L), StepPages, NeedMax);
        _next = new SparseMemory((_capacity + _needPages) * sizeof(uint), "the list of free slots");
        ulong address;
        NativeError.ThrowIfNoMemory(
            Native.sn_memory_reserve_anywhere((ulong)Pages.Bytes(_capacity + _needPages), &address),
            "mmap of the staging area",
            AddressSpaceLimit.With(
                $"It takes {Pages.Bytes(_capacity + _needPages):N0} bytes of address space. Set " +
                "SnapshotTuning.StagingLimit lower, or raise ulimit -v."));
        _base = address;
        _copiesLikely = Math.Min(FirstCopies, _capacity / 4);
    }

    /// <summary>Slots in use.</summary>
    internal long Used => _used;

    /// <summary>Pages copied to slots since construction.</summary>
    internal long Copied { get; private set; }

    /// <summary>Who helps to copy many pages, or null.</summary>
    internal ScanCrew? Crew { get; init; }

    /// <summary>So many pages will be copied to slots.</summary>
    internal void WillCopy(long pages) => Copied += pages;

    /// <summary>
    /// Takes one more slot and returns its number, or -1 when the limit is reached or the kernel gives no
    /// more.
    /// </summary>
    internal long Take() => _used < _capacity && TryCommit(_used + 1) ? _used++ : -1;

    /// <summary>How full it is, and what gives it more room: for a message.</summary>
    internal string Fullness => _refused == 0
        ? $"{Pages.Bytes(_used)} bytes are in use. Raise SnapshotTuning.StagingLimit"
        : $"{Pages.Bytes(_used)} bytes are in use, and Linux commits no more than " +
            $"{Pages.Bytes(_committed)} (errno {_refused}). Check vm.overcommit_memory and ulimit -d";

    /// <summary>The memory of a slot.</summary>
    internal byte* Slot(long slot) => (byte*)_base + Pages.Bytes(slot);

    /// <summary>
    /// Copies the first <paramref name="bytes"/> bytes of a page to a slot, and zeros behind them.
    /// </summary>
    internal static void Copy(byte* page, long bytes, byte* target)
    {
        Buffer.MemoryCopy(page, target, Pages.Size, bytes);
        if (bytes < Pages.Size) new Span<byte>(target + bytes, (int)(Pages.Size - bytes)).Clear();
    }

    /// <summary>
    /// Faults in memory for <paramref name="pages"/> more slots, as far as the limit goes and the kernel
    /// permits, so that copying to them does not fault.
    /// </summary>
    internal void Prefault(long pages)
    {
        long wanted = Math.Min(Pages.AlignUp(_used + pages, StepPages), _capacity);
        if (!TryCommit(wanted)) wanted = _committed;

        // What is in use has memory, and a content.
        _resident = Math.Max(_resident, _used);
        if (wanted <= _resident) return;
        if (!Populate(wanted))
        {
            // A page a time does the same.
            for (long slot = _resident; slot < wanted; slot++) Volatile.Write(ref *Slot(slot), 0);
        }

        _resident = wanted;
    }

    /// <summary>Slots that may be staged in.</summary>
    internal long Capacity => _capacity;

    /// <summary>
    /// Faults in memory for copies of frozen pages: as many as recent checkpoints needed, at most
    /// <paramref name="changed"/>. A copy that has to wait for memory takes many times as long, and a thread
    /// waits for it. What is expected halves with each checkpoint that needs less: one that fell into a quiet
    /// time does not say much.
    /// </summary>
    /// <param name="changed">How many pages will be frozen, or copied in the pause.</param>
    /// <param name="open">How many of these are open for devices, at most.</param>
    internal void PrefaultForCopies(long changed, long open) =>
        Prefault(Math.Min(changed, _copiesLikely + open) + StepPages);

    /// <summary>
    /// Gives the slots not in use to a freezer, until <see cref="ReturnAll"/>. Nobody writes. No managed
    /// allocation.
    /// </summary>
    /// <param name="freezer">Who gets them.</param>
    /// <param name="isFirst">
    /// Whether all memory counts as written, as in a first image: so many copies are not needed again.
    /// </param>
    internal void LendTo(Freezer freezer, bool isFirst)
    {
        _lentTo = freezer;
        ref SlotsState slots = ref freezer.State->Slots;
        slots.Base = _base;
        slots.Next = (uint*)_next.Address;
        slots.Limit = (uint)_capacity;
        slots.Extra = (uint)_needPages;
        slots.Committed = (uint)_committed;
        slots.ExtraCommitted = _needCommitted;
        slots.Heads[0] = slots.Heads[1] = slots.Heads[2] = 0;
        slots.Fresh = slots.Used = slots.Peak = (uint)Pages.AlignUp(_used, StepPages);
        slots.Need = 0;
        slots.Resident = (uint)_resident;
        slots.Once = isFirst ? 1u : 0;
    }

    /// <summary>
    /// Returns every slot; memory beyond what was in use, and some more, goes back to the system. No frozen
    /// page is copied any more.
    /// </summary>
    internal void ReturnAll()
    {
        // The next checkpoint may need a little more: to give that back and have it anew costs more than to
        // keep it.
        long keep = Pages.AlignUp(_used + (_used / KeptPart), StepPages) + (_used > 0 ? 2 * StepPages : 0);
        _resident = Math.Max(_resident, _used);
        if (_lentTo is not null)
        {
            ref SlotsState slots = ref _lentTo.State->Slots;
            _copiesLikely = Math.Max(slots.Peak - Pages.AlignUp(_used, StepPages), _copiesLikely / 2);
            _resident = Math.Max(_resident, slots.Fresh);
            _committed = slots.Committed;
            _needCommitted = slots.ExtraCommitted;
            keep = Math.Min(_resident, Pages.AlignUp(keep + _copiesLikely, StepPages));
            if (slots.Need > 0) _ = Discard(_capacity, slots.Need);
            _lentTo = null;
        }

        if (_resident > keep && Discard(keep, _resident - keep)) _resident = keep;
        _used = 0;
    }

    /// <summary>
    /// Lets the first slots be written; false where the kernel refuses, or would leave next to nothing for
    /// the program.
    /// </summary>
    private bool TryCommit(long slots)
    {
        while (_committed < slots)
        {
            // Near a limit: a step, and no more.
            if (!TryCommitPiece(Math.Min(CommitPages, _capacity - _committed)) && !TryCommitPiece(StepPages))
                return false;
        }

        return true;
    }

    private bool TryCommitPiece(long pages)
    {
        _refused =
            Native.sn_memory_commit_spare(_base + (ulong)Pages.Bytes(_committed), (ulong)Pages.Bytes(pages));
        if (_refused == 0) _committed += pages;
        return _refused == 0;
    }

    /// <summary>
    /// Faults in slots by one call; false where the kernel has none, or it was interrupted.
    /// </summary>
    private bool Populate(long wanted)
    {
        if (!MachineCapabilities.Current[Capability.Populate]) return false;
        int errno = Native.sn_memory_populate(
            _base + (ulong)Pages.Bytes(_resident), (ulong)Pages.Bytes(wanted - _resident));
        if (errno is not (Errno.NoMemory or Errno.BadAddress)) return errno == 0;
        throw NativeError.ForMemory(
            errno, "madvise(MADV_POPULATE_WRITE) of the staging area",
            $"{Pages.Bytes(wanted)} bytes are needed to stage changed pages: leave that much memory free, " +
            "or take checkpoints more often.");
    }

    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        _next.Dispose();
        NativeError.ThrowIfFailed(
            Native.sn_memory_release(_base, (ulong)Pages.Bytes(_capacity + _needPages)),
            "munmap of the staging area",
            "Its memory stays in use until the process ends; vm.max_map_count is a cause.");
    }

    /// <summary>
    /// False where the memory stays (it may be locked): then it costs more, and no checkpoint fails for that.
    /// </summary>
    private bool Discard(long first, long pages) =>
        Native.sn_memory_discard(_base + (ulong)Pages.Bytes(first), (ulong)Pages.Bytes(pages)) == 0;
}
