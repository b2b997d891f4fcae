using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Snapshot.Base;
using Snapshot.Memory;

namespace Snapshot;

/// <summary>
/// Memory at a fixed virtual address. The image has all of it, also the state of its allocator. A restarted
/// process finds it at the same address, so pointers and arrays in it stay valid. Begin with
/// <see cref="RootArray{T}"/> and <see cref="Root{T}"/>.
/// </summary>
/// <remarks>
/// <para>Memory handed out reads as zero. A call that throws has changed nothing. The same calls in the same
/// order give the same addresses.</para>
/// <para>Thread-safe. It lives as long as its session. Closing the session unmaps it: use none of its memory
/// then. There is no finalizer, because pointers into an arena do not keep it alive.</para>
/// </remarks>
#pragma warning disable CA1001 // Its session closes it; others would unmap what threads use.
public sealed unsafe partial class Arena
#pragma warning restore CA1001
{
    private const int DefaultAlignment = 16;

    /// <summary>
    /// Typed arrays of this size or more begin at a cache line, for vectors and against false sharing.
    /// </summary>
    private const int CacheLine = 64;

    private readonly Lock _gate = new();
    private readonly AddressSpace _space;
    private readonly ArenaRegion _region;
    private readonly PageTable _table;
    private readonly PageRuns _runs;
    private readonly ArenaAllocator _allocator;
    private readonly RootTable _roots;
    private State _state = State.AwaitingContent;

    private Arena(AddressSpace space)
    {
        _space = space;
        _region = new ArenaRegion(space) { Arena = this };
        _table = new PageTable(space.Base);
        _runs = new PageRuns(space, _table);
        _allocator = new ArenaAllocator(_region, _table, _runs);
        _roots = new RootTable(space.Name, _allocator, _table);
    }

    private enum State
    {
        AwaitingContent,
        Ready,
        Closed,
    }

    /// <summary>The name, unique in its session.</summary>
    public string Name => _space.Name;

    /// <summary>The address of the first byte.</summary>
    public nint BaseAddress => (nint)_space.Base;

    /// <summary>Bytes of address space that are reserved.</summary>
    public long Capacity => Pages.Bytes(_space.CapacityPages);

    /// <summary>
    /// Bytes that may be accessed now: what is allocated, what is free between it, and the arena's own
    /// tables.
    /// </summary>
    public long CommittedBytes => Pages.Bytes(_space.CommittedPages);

    /// <summary>Bytes of live allocations and roots, rounded up to size classes or whole pages.</summary>
    public long AllocatedBytes
    {
        get
        {
            using Lock.Scope scope = Enter();
            return _table.Header->AllocatedBytes;
        }
    }

    /// <summary>The named roots, in the order in which they were made.</summary>
    public IReadOnlyList<ArenaRoot> Roots
    {
        get
        {
            using Lock.Scope scope = Enter();
            return _roots.List();
        }
    }

    /// <summary>The arena as tracking and capture see it.</summary>
    internal MemoryRegion Region => _region;

    /// <summary>Whether huge pages were asked for.</summary>
    internal bool HugePages => _space.HugePages;

    /// <summary>Whether the byte at <paramref name="pointer"/> is in the committed part.</summary>
    public bool Contains(void* pointer) => _region.Contains(pointer);

    /// <summary>Allocates zeroed memory. Of 2 MiB and more it begins at a multiple of 2 MiB.</summary>
    /// <param name="bytes">At least 1.</param>
    /// <param name="alignment">A power of two, up to 1 GiB.</param>
    /// <exception cref="SnapshotException"><see cref="SnapshotErrorCode.ArenaFull"/>: the capacity is used
    /// up.</exception>
    public void* Allocate(long bytes, int alignment = DefaultAlignment)
    {
        using Lock.Scope scope = Enter();
        return _space.Base + _allocator.Allocate(bytes, alignment, elementSize: 0, isRoot: false);
    }

    /// <summary>
    /// Allocates <paramref name="count"/> zeroed elements, aligned to 64 bytes where they take that many;
    /// none for 0.
    /// </summary>
    /// <exception cref="SnapshotException"><see cref="SnapshotErrorCode.ArenaFull"/>: the capacity is used
    /// up.</exception>
    public ArenaArray<T> Allocate<T>(long count)
        where T : unmanaged
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        if (count == 0) return default;
        long bytes = count <= long.MaxValue / sizeof(T) ? count * sizeof(T) : long.MaxValue;
        using Lock.Scope scope = Enter();
        int alignment = bytes < CacheLine ? DefaultAlignment : CacheLine;
        long offset = _allocator.Allocate(bytes, alignment, sizeof(T), isRoot: false);
        return new ArenaArray<T>((T*)(_space.Base + offset), count);
    }

    /// <summary>
    /// Frees an allocation. Whole pages go back to the kernel, read as zero and cost nothing in the image.
    /// </summary>
    /// <param name="pointer">The first byte of an allocation of this arena.</param>
    /// <exception cref="ArgumentException">It is not: freed already, inside an allocation, of another arena,
    /// or a root.</exception>
    public void Free(void* pointer)
    {
        ArgumentNullException.ThrowIfNull(pointer);
        using Lock.Scope scope = Enter();
        _allocator.Free(pointer, isRoot: false);
    }

    /// <summary>Frees an array; an empty one is no allocation, and nothing happens.</summary>
    /// <exception cref="ArgumentException">The array is not an allocation of this arena, or was freed
    /// already.</exception>
    public void Free<T>(ArenaArray<T> array)
        where T : unmanaged
    {
        if (!array.IsEmpty) Free(array.Pointer);
    }

    /// <summary>
    /// Declares part of an allocation to be scratch: it is not saved and reads as zero after a restart. Only
    /// whole pages (4 KiB) inside the range are excluded; the bytes at its ends that share a page with others
    /// are still saved.
    /// </summary>
    /// <returns>The number of bytes excluded.</returns>
    /// <exception cref="ArgumentException">The range is not within one live allocation.</exception>
    public long Exclude(void* pointer, long bytes) => SetExcluded(pointer, bytes, excluded: true);

    /// <summary>Declares the whole pages of an array scratch: not saved, zero after a restart.</summary>
    /// <returns>The number of bytes excluded.</returns>
    /// <exception cref="ArgumentException">The array is not within one live allocation.</exception>
    public long Exclude<T>(ArenaArray<T> array)
        where T : unmanaged => array.IsEmpty ? 0 : Exclude(array.Pointer, array.Length * sizeof(T));

    /// <summary>
    /// Takes back <see cref="Exclude(void*, long)"/> for the whole pages inside the range: the next
    /// checkpoint saves them.
    /// </summary>
    /// <returns>The number of bytes included.</returns>
    /// <exception cref="ArgumentException">The range is not within one live allocation.</exception>
    public long Include(void* pointer, long bytes) => SetExcluded(pointer, bytes, excluded: false);

    /// <summary>Takes back <see cref="Exclude{T}(ArenaArray{T})"/>.</summary>
    /// <returns>The number of bytes included.</returns>
    /// <exception cref="ArgumentException">The array is not within one live allocation.</exception>
    public long Include<T>(ArenaArray<T> array)
        where T : unmanaged => array.IsEmpty ? 0 : Include(array.Pointer, array.Length * sizeof(T));

    /// <summary>
    /// Lets a system call write a range. Call it first if a system call that writes to captured memory fails
    /// with EFAULT instead of waiting: with <see cref="TrackingMechanism.SignalWriteProtect"/>, and with
    /// copy-on-write without privilege. Otherwise it is not needed.
    /// </summary>
    /// <remarks>
    /// The range counts as written. It may be written until the next checkpoint captures memory: come to no
    /// safepoint before the system call has returned, or do both in a critical section. Thread-safe.
    /// </remarks>
    /// <param name="pointer">Its first byte.</param>
    /// <param name="bytes">How many; may be 0.</param>
    /// <exception cref="ArgumentException">The range is not in memory of this arena.</exception>
    public void OpenForWrite(void* pointer, long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        if (bytes == 0) return;
        if (!_region.Contains(pointer) || !_region.Contains((byte*)pointer + bytes - 1))
            throw new ArgumentException($"not {bytes} bytes of arena '{Name}'", nameof(pointer));
        long first = ((byte*)pointer - _region.Address) >> Pages.Shift;
        long last = ((byte*)pointer + bytes - 1 - _region.Address) >> Pages.Shift;
        _region.Frozen?.Open(new PageRange(first, last - first + 1));
    }

    /// <inheritdoc cref="OpenForWrite(void*, long)"/>
    /// <param name="array">What the system call will write.</param>
    public void OpenForWrite<T>(ArenaArray<T> array)
        where T : unmanaged
    {
        if (!array.IsEmpty) OpenForWrite(array.Pointer, array.Length * sizeof(T));
    }

    /// <summary>Unmaps the arena; the second call does nothing.</summary>
    internal void Close()
    {
        // Outside of the gate: a collect takes the gate while no range is opened.
        _region.Devices.Dispose();
        lock (_gate)
        {
            if (_state == State.Closed) return;
            _state = State.Closed;
            _region.Dispose();
        }
    }

    /// <summary>
    /// Makes an empty arena at <paramref name="baseAddress"/>, or at the next free place, of the window if
    /// there is one.
    /// </summary>
    internal static Arena Create(
        string name, nint? baseAddress, ArenaOptions options, AddressWindow? window = null)
    {
        Arena arena = Reserve(name, baseAddress, options, window);
        try
        {
            arena._runs.Format();
            arena._state = State.Ready;
            return arena;
        }
        catch
        {
            arena.Close();
            throw;
        }
    }

    /// <summary>
    /// Makes the mapping of an arena of which an image holds the content: <paramref name="committedPages"/>
    /// zeroed pages at <paramref name="baseAddress"/>, to be filled by the caller, who then calls
    /// <see cref="Adopt"/>. Until then nothing else works.
    /// </summary>
    internal static Arena Restore(string name, nint baseAddress, long committedPages, ArenaOptions options)
    {
        long capacity = options.Capacity >> Pages.Shift;
        if (committedPages < PageRuns.InitialTablesPages(capacity) || committedPages > capacity)
        {
            throw new SnapshotException(
                SnapshotErrorCode.Corrupt,
                $"The image has {committedPages} committed pages for arena '{name}', and its capacity is " +
                $"{capacity} pages. Restart from another generation.");
        }

        Arena arena = Reserve(name, baseAddress, options);
        try
        {
            arena._space.CommitTo(committedPages);
            return arena;
        }
        catch
        {
            arena.Close();
            throw;
        }
    }

    /// <summary>The content is still to come, page by page, before and after <see cref="Adopt"/>.</summary>
    internal void Await(IAwaitedPages pages) => _region.Awaited = pages;

    /// <inheritdoc cref="AddressSpace.CollapseToHugePages"/>
    internal void CollapseToHugePages(CancellationToken cancellation) =>
        _space.CollapseToHugePages(cancellation);

    /// <summary>
    /// Takes all access to the memory away; <see cref="Close"/> follows. For memory of which content is
    /// missing.
    /// </summary>
    internal void Seal() => _space.Seal();

    /// <summary>
    /// Takes over the content that was filled in, after checking that it is an arena in order.
    /// </summary>
    /// <exception cref="SnapshotException"><see cref="SnapshotErrorCode.Corrupt"/>,
    /// <see cref="SnapshotErrorCode.UnsupportedFormat"/>.</exception>
    internal void Adopt()
    {
        lock (_gate)
        {
            if (_state != State.AwaitingContent)
                throw new InvalidOperationException($"Arena '{Name}' does not wait for content.");
            CheckTables();
            _state = State.Ready;
        }
    }

    /// <summary>
    /// Holds off every change of the arena's tables by other threads until the scope is disposed of, on the
    /// same thread: what is captured meanwhile has no half-done allocation in it.
    /// </summary>
    internal Lock.Scope LockTables() => Enter();

    /// <inheritdoc cref="PageTable.Changes"/>
    /// <remarks>Hold <see cref="LockTables"/>.</remarks>
    internal long PageChanges => _table.Changes;

    /// <summary>
    /// Adds the free pages, which read as zero. Allocates no managed memory; hold <see cref="LockTables"/>.
    /// </summary>
    internal void MarkFree(PageBitmap into)
    {
        RunBins free = _runs.Free;
        for (int list = free.NextUsed(0); list >= 0; list = free.NextUsed(list + 1))
        {
            for (long run = _table.Header->FreeLists[list]; run != 0; run = _table.Descriptor(run)->Next)
                into.Add(new PageRange(run, _table.Descriptor(run)->PageCount));
        }
    }

    /// <summary>
    /// Adds the excluded pages. Allocates no managed memory; hold <see cref="LockTables"/>.
    /// </summary>
    internal void MarkExcluded(PageBitmap into) => _table.AddExcludedTo(into);

    /// <summary>
    /// Bytes of an element in the memory that <paramref name="page"/> belongs to, or 0 where it is unknown.
    /// Hold <see cref="LockTables"/>.
    /// </summary>
    internal int ElementSizeAt(long page)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(page);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(page, _space.CommittedPages);
        long run = _table.LiveRunHolding(page);
        uint size = run < 0 ? 0 : _table.Descriptor(run)->ElementSize;
        return size <= int.MaxValue ? (int)size : 0;
    }

    /// <summary>
    /// <see cref="ElementSizeAt"/> for who only wants to compress well: 0 also when another thread is
    /// changing the tables. It does not wait: the other one may itself wait for a page of the tables to be
    /// drained.
    /// </summary>
    internal int ElementSizeHint(long page)
    {
        if (!_gate.TryEnter()) return 0;
        try
        {
            return _state == State.Ready ? ElementSizeAt(page) : 0;
        }
        finally
        {
            _gate.Exit();
        }
    }

    /// <summary>
    /// Whether a range is within one live allocation: for pointers that an image has, before they are
    /// followed.
    /// </summary>
    internal bool IsAllocated(void* pointer, long bytes)
    {
        using Lock.Scope scope = Enter();
        return _allocator.TryFind(pointer, bytes, out _);
    }

    /// <summary>Checks every table against every other; throws Corrupt.</summary>
    internal void CheckTables() => new ArenaCheck(_space, _table, _allocator).Run();

    private static Arena Reserve(
        string name, nint? baseAddress, ArenaOptions options, AddressWindow? window = null)
    {
        CheckName(name);
        AddressSpace space = baseAddress is { } fixedBase
            ? AddressSpace.ReserveAt(name, (ulong)fixedBase, options)
            : AddressSpace.ReserveNextFree(name, options, window);
        return new Arena(space);
    }

    private static void CheckName(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        if (!RegionLimits.IsArenaName(name))
        {
            throw new ArgumentException(
                $"an arena's name has at most {RegionLimits.ArenaNameMax} printable ASCII characters, " +
                "none of them \\ ` $ [ ]",
                nameof(name));
        }
    }

    private long SetExcluded(void* pointer, long bytes, bool excluded)
    {
        ArgumentNullException.ThrowIfNull(pointer);
        ArgumentOutOfRangeException.ThrowIfLessThan(bytes, 1);
        using Lock.Scope scope = Enter();
        return _allocator.SetExcluded(pointer, bytes, excluded);
    }

    private static ArenaArray<T> ArrayOf<T>(T* first, long count)
        where T : unmanaged => count == 0 ? default : new ArenaArray<T>(first, count);

    private Lock.Scope Enter()
    {
        Lock.Scope scope = _gate.EnterScope();
        if (_state == State.Ready) return scope;
        scope.Dispose();
        ObjectDisposedException.ThrowIf(_state == State.Closed, this);
        throw new InvalidOperationException($"Arena '{Name}' waits for its content to be restored.");
    }
}
