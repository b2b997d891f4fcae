using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Snapshot.Memory.Locks;
using Snapshot.Threads.Fibers;

namespace Snapshot.Fibers;

/// <summary>
/// A bounded queue between fibers whose items are in an arena: what was written is read, also after a
/// restart.
/// </summary>
/// <typeparam name="T">An item.</typeparam>
/// <remarks>
/// <para>Embed it as a field of a root and call <see cref="Initialize"/> when the memory is new. Never copy
/// it. Any number of fibers of any worker may write and read; items come out in the order in which they went
/// in. Participants and handlers that are no fibers use <see cref="TryWrite(T)"/>,
/// <see cref="TryRead(out T)"/> and <see cref="Complete"/>. Like an arena lock, it refuses a thread that is
/// not attached.</para>
/// <para>Fibers are woken in the order in which they began to wait. One that comes at that moment may be
/// faster.</para>
/// <para>Thread-safe. Nothing allocates but a frame of a wait.</para>
/// </remarks>
public struct ArenaChannel<T>
    where T : unmanaged
{
    // A lock word guards the ring; it is held for the copy of one item and never across a safepoint, and only
    // by owners that have safepoints, so no image shows it held. Readers sleep on the number of writes,
    // writers on the number of reads, both modulo 2^32: each is read under the lock together with the state
    // that makes one wait, and changes before anyone is woken, so that no wake is lost. A write wakes one
    // reader, a read one writer; whoever finds nothing waits again, and who was woken and takes nothing
    // passes the wake on.
    private int _lock;
    private int _capacity;
    private int _count;
    private int _head;
    private uint _writes;
    private uint _reads;
    private int _isComplete;
    private ArenaArray<T> _items;

    /// <summary>The items in it. A snapshot of a moment.</summary>
    public readonly int Count => Volatile.Read(in _count);

    /// <summary>
    /// Gives it room. Call it once, when the memory is new and before others use it; not after a
    /// restart.
    /// </summary>
    /// <param name="arena">Where the items are.</param>
    /// <param name="capacity">The most items, at least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">Less than 1.</exception>
    /// <exception cref="SnapshotException">ArenaFull.</exception>
    public void Initialize(Arena arena, int capacity)
    {
        ArgumentNullException.ThrowIfNull(arena);
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1);
        _items = arena.Allocate<T>(capacity);
        _capacity = capacity;
    }

    /// <summary>Writes an item if there is room.</summary>
    /// <returns>False when it is full.</returns>
    /// <exception cref="ChannelClosedException">It is complete.</exception>
    /// <exception cref="InvalidOperationException">It was not initialized, or the thread is not attached to a
    /// session.</exception>
    public bool TryWrite(T item) => TryWrite(in item, out _);

    /// <summary>Reads an item if there is one.</summary>
    /// <param name="item">What was read.</param>
    /// <returns>False when it is empty.</returns>
    /// <exception cref="InvalidOperationException">The thread is not attached to a session.</exception>
    public bool TryRead(out T item) => TryRead(out item, out _, out _);

    /// <summary>Writes an item, waiting while it is full. For fibers, in an arena.</summary>
    /// <exception cref="ChannelClosedException">It is complete.</exception>
    /// <exception cref="InvalidOperationException">
    /// It was not initialized, or the thread runs no fibers.
    /// </exception>
    public FiberTask WriteAsync(T item)
    {
        _ = FiberScheduler.OfThread;
        return TryWrite(in item, out _) ? FiberTask.Completed : WriteSlowly(PointerTo(ref this), item);
    }

    /// <summary>Reads an item, waiting while it is empty. For fibers, in an arena.</summary>
    /// <exception cref="ChannelClosedException">It is complete and empty.</exception>
    /// <exception cref="InvalidOperationException">The thread runs no fibers.</exception>
    public FiberTask<T> ReadAsync()
    {
        _ = FiberScheduler.OfThread;
        return TryRead(out T item, out _, out _) ? new FiberTask<T>(item) : ReadSlowly(PointerTo(ref this));
    }

    /// <summary>Waits until there is an item, or there will be none. For fibers, in an arena.</summary>
    /// <returns>False when it is complete and empty.</returns>
    /// <exception cref="InvalidOperationException">The thread runs no fibers.</exception>
    public FiberTask<bool> WaitToReadAsync()
    {
        _ = FiberScheduler.OfThread;
        return WaitToRead(PointerTo(ref this));
    }

    /// <summary>Refuses further writes. Readers still get what is in the channel.</summary>
    /// <exception cref="InvalidOperationException">The thread is not attached to a session.</exception>
    public void Complete()
    {
        Acquire();
        _isComplete = 1;
        _writes++;
        _reads++;
        Release();
        LockWord.Wake(ref _writes, LockWord.All);
        LockWord.Wake(ref _reads, LockWord.All);
    }

    private static async FiberTask WriteSlowly(ArenaPointer<ArenaChannel<T>> channel, T item)
    {
        while (!channel.Value.TryWrite(in item, out uint reads))
            await WordWait.While(ref channel.Value._reads, reads);
    }

    private static async FiberTask<T> ReadSlowly(ArenaPointer<ArenaChannel<T>> channel)
    {
        while (true)
        {
            if (channel.Value.TryRead(out T item, out uint writes, out bool isComplete)) return item;
            if (isComplete)
                throw new ChannelClosedException("An arena channel is complete, and all was read.");
            await WordWait.While(ref channel.Value._writes, writes);
        }
    }

    private static async FiberTask<bool> WaitToRead(ArenaPointer<ArenaChannel<T>> channel)
    {
        bool hasSlept = false;
        while (channel.Value.IsEmpty(out uint writes, out bool isComplete))
        {
            if (isComplete) return false;
            await WordWait.While(ref channel.Value._writes, writes);
            hasSlept = true;
        }

        // It takes nothing, so the wake that an item is worth is not used up.
        if (hasSlept) LockWord.Wake(ref channel.Value._writes, 1);
        return true;
    }

    private bool TryWrite(in T item, out uint reads)
    {
        if (_capacity == 0)
            throw new InvalidOperationException(
                "An arena channel is used before Initialize was called on it.");
        Acquire();
        reads = _reads;
        bool isClosed = _isComplete != 0;
        bool isWritten = !isClosed && _count < _capacity;
        if (isWritten)
        {
            int at = _head + _count;
            _items[at < _capacity ? at : at - _capacity] = item;
            _count++;
            _writes++;
        }

        Release();
        if (isClosed)
            throw new ChannelClosedException("An arena channel is complete; nothing more can be written.");
        if (isWritten) LockWord.Wake(ref _writes, 1);
        return isWritten;
    }

    private bool TryRead(out T item, out uint writes, out bool isComplete)
    {
        Acquire();
        writes = _writes;
        isComplete = _isComplete != 0;
        bool isRead = _count > 0;
        item = default;
        if (isRead)
        {
            item = _items[_head];
            if (++_head == _capacity) _head = 0;
            _count--;
            _reads++;
        }

        Release();
        if (isRead) LockWord.Wake(ref _reads, 1);
        return isRead;
    }

    private bool IsEmpty(out uint writes, out bool isComplete)
    {
        Acquire();
        writes = _writes;
        isComplete = _isComplete != 0;
        bool isEmpty = _count == 0;
        Release();
        return isEmpty;
    }

    /// <summary>
    /// Refused to a thread that no checkpoint stops: it could be captured holding the lock, and nobody would
    /// ever release it in the new process.
    /// </summary>
    private void Acquire()
    {
        LockWord.Caller();
        SpinWait spin = default;
        while (Interlocked.Exchange(ref _lock, 1) != 0) spin.SpinOnce(sleep1Threshold: -1);
    }

    /// <summary>A full fence: the waker's look for waiters comes after the change.</summary>
    private void Release() => Interlocked.Exchange(ref _lock, 0);

    private static unsafe ArenaPointer<ArenaChannel<T>> PointerTo(ref ArenaChannel<T> channel) =>
        new((ArenaChannel<T>*)Unsafe.AsPointer(ref channel));
}
