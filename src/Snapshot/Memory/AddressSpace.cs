using System.Text;
using Snapshot.Base;
using Snapshot.Interop;

namespace Snapshot.Memory;

/// <summary>
/// The address range of one arena: reserved whole, committed from its base upward, released at the end.
/// </summary>
/// <remarks>Not thread-safe, except that <see cref="CommittedPages"/> may be read at any time.</remarks>
internal sealed unsafe class AddressSpace : IDisposable
{
    /// <inheritdoc cref="RegionLimits.ArenasBegin"/>
    internal const ulong LowestBase = RegionLimits.ArenasBegin;

    /// <inheritdoc cref="RegionLimits.ArenasEnd"/>
    internal const ulong HighestEnd = RegionLimits.ArenasEnd;

    /// <summary>
    /// Left free above an arena, so that running over its end faults instead of reaching the next one.
    /// </summary>
    internal const ulong Gap = 1UL << 30;

    private const long CollapseBytes = 64L << 20;

    private readonly ulong _base;
    private long _committedPages;
    private bool _released;

    private AddressSpace(string name, ulong baseAddress, long capacityPages, bool hugePages)
    {
        Name = name;
        HugePages = hugePages;
        _base = baseAddress;
        CapacityPages = capacityPages;
    }

    internal string Name { get; }

    /// <summary>Whether huge pages were asked for.</summary>
    internal bool HugePages { get; }

    internal byte* Base => (byte*)_base;

    internal long CapacityPages { get; }

    internal long CommittedPages => Volatile.Read(ref _committedPages);

    /// <summary>Reserves at exactly <paramref name="baseAddress"/>.</summary>
    /// <exception cref="SnapshotException">
    /// <see cref="SnapshotErrorCode.AddressTaken"/>: something is there; the message says what.
    /// </exception>
    internal static AddressSpace ReserveAt(string name, ulong baseAddress, ArenaOptions options)
    {
        if (baseAddress % Pages.HugeSize != 0)
            throw new ArgumentException(
                $"the base 0x{baseAddress:x} is not a multiple of 2 MiB", nameof(baseAddress));
        ulong bytes = (ulong)options.Capacity;
        int errno = Native.sn_memory_reserve(baseAddress, bytes);
        if (errno == Errno.Exists && ReleaseLeftIn(baseAddress, baseAddress + bytes))
            errno = Native.sn_memory_reserve(baseAddress, bytes);
        if (errno == Errno.Exists) throw Taken(name, baseAddress, bytes);
        NativeError.ThrowIfNoMemory(errno, "mmap", AddressSpaceLimit.With(
            $"Arena '{name}' needs {bytes:N0} bytes of address space at 0x{baseAddress:x}: it keeps the " +
            "capacity it was made with. Raise ulimit -v."));
        return Prepare(name, baseAddress, options);
    }

    /// <summary>
    /// Reserves at the first place of the range of arenas, or of a window of it, that is free with a gap on
    /// either side; the gap above belongs to the window, that below to the one before.
    /// </summary>
    internal static AddressSpace ReserveNextFree(
        string name, ArenaOptions options, AddressWindow? window = null)
    {
        ulong bytes = (ulong)options.Capacity;
        ulong candidate = TakenPlaces.FirstFree(window?.Begin ?? LowestBase, bytes, Gap);
        ulong highest = (window?.End ?? HighestEnd) - bytes - Gap;
        ulong triedAgain = 0;
        while (candidate <= highest)
        {
            ulong low = candidate - Gap;
            ulong end = candidate + bytes + Gap;
            int errno = TryReserve(name, candidate, bytes);
            if (errno == 0) return Prepare(name, candidate, options);
            if (errno != Errno.Exists)
                throw NativeError.ForMemory(errno, "mmap", ReserveAdvice(name, candidate, bytes));

            // What was in the way may be gone again (another thread unmapped it): then the same place is
            // tried once more. Or the map does not show it, as where a sandbox hides what is its own: then
            // the next one is.
            if (ProcessMap.FirstIn(low, end) is { } there) candidate = TakenPlaces.Above(there.End, Gap);
            else if (triedAgain == candidate) candidate = TakenPlaces.Above(end, Gap);
            else triedAgain = candidate;
            candidate = TakenPlaces.FirstFree(candidate, bytes, Gap);
        }

        string range = window is { } own
            ? $"in the session's {nameof(AddressWindow)} {own.Index}, 0x{own.Begin:x} to 0x{own.End:x}, of " +
                "which 1 GiB above each arena stays free"
            : $"between 0x{LowestBase:x} and 0x{HighestEnd:x}";
        string larger = window is null
            ? ""
            : ", or all sessions that may have to live in one process a larger AddressWindow.Bytes";
        throw new SnapshotException(
            SnapshotErrorCode.AddressTaken,
            $"No range of {bytes:N0} addresses is free for arena '{name}' {range}. Give this arena, or " +
            $"others, a smaller ArenaOptions.Capacity{larger}.");
    }

    /// <summary>Makes the pages up to <paramref name="pages"/> accessible; they read as zero.</summary>
    internal void CommitTo(long pages)
    {
        long committed = _committedPages;
        if (pages <= committed) return;
        int errno = Native.sn_memory_commit(
            _base + (ulong)Pages.Bytes(committed), (ulong)Pages.Bytes(pages - committed));
        NativeError.ThrowIfNoMemory(
            errno, "mprotect",
            $"Arena '{Name}' cannot grow to {Pages.Bytes(pages):N0} bytes and is unchanged: the machine, a " +
            "control group or vm.overcommit_memory=2 limits the memory of this process.");
        Volatile.Write(ref _committedPages, pages);
    }

    /// <summary>Drops the content of committed pages: they read as zero and cost nothing.</summary>
    internal void Discard(PageRange range)
    {
        int errno = Native.sn_memory_discard(
            _base + (ulong)Pages.Bytes(range.Start), (ulong)Pages.Bytes(range.Count));
        NativeError.ThrowIfFailed(
            errno, "madvise(MADV_DONTNEED)",
            $"Arena '{Name}' could not give memory back. Unlock it if it is locked (mlock).");
    }

    /// <summary>
    /// Makes huge pages of what was split, as far as the kernel has memory for them; content stays. Not while
    /// a userfaultfd has the range. What could not be done is no error: memory serves as it is.
    /// </summary>
    internal void CollapseToHugePages(CancellationToken cancellation)
    {
        long committed = Pages.Bytes(CommittedPages) & ~(long)(Pages.HugeSize - 1);
        bool mayCollapse = HugePages && MachineCapabilities.Current[Capability.Collapse];
        for (long at = 0; mayCollapse && at < committed; at += CollapseBytes)
        {
            cancellation.ThrowIfCancellationRequested();
            _ = Native.sn_memory_collapse(_base + (ulong)at, (ulong)Math.Min(CollapseBytes, committed - at));
        }
    }

    /// <summary>
    /// Takes access to the whole range away, for ever: whoever touches it dies rather than read wrong bytes.
    /// </summary>
    internal void Seal()
    {
        if (_released) return;
        NativeError.ThrowIfFailed(
            Native.sn_memory_seal(_base, (ulong)Pages.Bytes(CapacityPages)), "mprotect",
            $"Arena '{Name}' could not be closed. Raise vm.max_map_count if it is reached.");
    }

    public void Dispose()
    {
        if (_released) return;
        _released = true;
        Volatile.Write(ref _committedPages, 0);
        ulong bytes = (ulong)Pages.Bytes(CapacityPages);
        int errno = Native.sn_memory_release(_base, bytes);
        if (errno == 0)
        {
            TakenPlaces.Remove(_base);
            return;
        }

        // At the limit of mappings even an unmapping may be one too many. Its content at least costs nothing
        // then.
        _ = Native.sn_memory_discard(_base, bytes);
        TakenPlaces.Leave(_base);
        throw NativeError.For(
            errno, "munmap",
            $"Arena '{Name}' could not be unmapped. Its addresses stay taken until an arena has to lie " +
            "there again or the process ends. Raise vm.max_map_count if it is reached.");
    }

    /// <summary>
    /// Unmaps what closed arenas had to leave in a range; true when there was something and it went.
    /// </summary>
    private static bool ReleaseLeftIn(ulong start, ulong end)
    {
        bool any = false;
        while (TakenPlaces.LeftIn(start, end) is { } left)
        {
            if (Native.sn_memory_release(left.Start, left.End - left.Start) != 0) return false;
            TakenPlaces.Remove(left.Start);
            any = true;
        }

        return any;
    }

    /// <summary>
    /// Reserves a place that is free with a gap on either side: with the gaps at first, so that nobody comes
    /// between. Where addresses are limited (<c>ulimit -v</c>) and there are not enough for the gaps, the map
    /// is looked at.
    /// </summary>
    private static int TryReserve(string name, ulong candidate, ulong bytes)
    {
        ulong low = candidate - Gap;
        ulong end = candidate + bytes + Gap;
        int errno = Native.sn_memory_reserve(low, end - low);
        if (errno == Errno.NoMemory)
            return ProcessMap.FirstIn(low, end) is null
                ? Native.sn_memory_reserve(candidate, bytes) : Errno.Exists;
        if (errno != 0) return errno;
        errno = Native.sn_memory_release(low, Gap);
        if (errno == 0) errno = Native.sn_memory_release(end - Gap, Gap);
        if (errno == 0) return 0;
        _ = Native.sn_memory_release(low, end - low);
        throw NativeError.ForMemory(errno, "munmap", ReserveAdvice(name, candidate, bytes));
    }

    /// <summary>
    /// Advises and names the whole range at once: both are kept when a part of it is committed. Neither
    /// changes what memory holds, so a kernel that was built without them, or a filter that forbids them, is
    /// no error.
    /// </summary>
    private static AddressSpace Prepare(string name, ulong baseAddress, ArenaOptions options)
    {
        ulong bytes = (ulong)options.Capacity;
        _ = Native.sn_memory_advise_huge(baseAddress, bytes, options.HugePages ? 1 : 0);
        if (MachineCapabilities.Current[Capability.MappingNames])
        {
            fixed (byte* text = Encoding.UTF8.GetBytes($"snapshot:{name}\0"))
                _ = Native.sn_memory_name(baseAddress, bytes, text);
        }

        TakenPlaces.Add(baseAddress, baseAddress + bytes);
        return new AddressSpace(name, baseAddress, options.Capacity >> Pages.Shift, options.HugePages);
    }

    private static SnapshotException Taken(string name, ulong baseAddress, ulong bytes)
    {
        ProcessMapping? there = ProcessMap.FirstIn(baseAddress, baseAddress + bytes);
        string what = there is { } mapping ? $"'{mapping.Line}'" : "a mapping that has gone meanwhile";
        return new SnapshotException(
            SnapshotErrorCode.AddressTaken,
            $"Arena '{name}' must lie at 0x{baseAddress:x}-0x{baseAddress + bytes:x}, and {what} is there. " +
            "Open the session before anything else maps memory there, unload what is in the way, or start " +
            "the process again: Linux places such mappings at random. Sessions that began in different " +
            "processes use the same addresses: restart each in a process of its own.")
        { Step = "mmap", Errno = Errno.Exists };
    }

    private static string ReserveAdvice(string name, ulong baseAddress, ulong bytes) =>
        AddressSpaceLimit.With(
            $"Arena '{name}' needs {bytes:N0} bytes of address space at 0x{baseAddress:x}. Give it a " +
            "smaller ArenaOptions.Capacity, or raise ulimit -v.");
}
