using Snapshot.Base;

namespace Snapshot;

public sealed unsafe partial class Arena
{
    /// <summary>
    /// Opens a range for writers that no page table shows: another process (<c>MPI_Put</c> by
    /// <c>process_vm_writev</c>), a network card or io_uring with registered memory, a GPU, direct I/O. They
    /// pin pages first and write later, without a fault. Open a range before its memory is registered or
    /// known to a peer, and close it after the last write has arrived.
    /// </summary>
    /// <remarks>
    /// <para>While it is open its pages count as written in each checkpoint, and are copied inside the pause,
    /// however the arena is captured: open no more than is needed. A page whose content is as it was is not
    /// written to the image again. Where tracking is by content hash nothing is different.</para>
    /// <para>An image is the memory at its capture if no device writes during the pause; that is for the
    /// program to see to, by a barrier in a handler for example. A write during the pause may be in this
    /// image or the next one.</para>
    /// <para>The bytes may be any of the committed part, and are widened to whole pages; ranges may overlap.
    /// Close a range before its memory is freed. It is a state of the process and not of the image: after a
    /// restart the program opens it again. Thread-safe, also while a checkpoint runs; it may wait for copies
    /// of what is being drained, and pages that a lazy restart has not fetched are fetched.</para>
    /// </remarks>
    /// <param name="pointer">The first byte.</param>
    /// <param name="bytes">How many; may be 0.</param>
    /// <returns>Closes the range when it is disposed of.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The bytes are not in memory of this arena.</exception>
    /// <exception cref="ObjectDisposedException">The session was closed.</exception>
    /// <exception cref="SnapshotException"><see cref="SnapshotErrorCode.Corrupt"/>,
    /// <see cref="SnapshotErrorCode.StoreIo"/>: pages of a lazy restart cannot be read.</exception>
    public DeviceRange OpenForDevices(void* pointer, long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        Enter().Dispose();
        PageRange pages = default;
        if (bytes > 0)
        {
            // What is committed never shrinks.
            long first = (byte*)pointer - _region.Address;
            if (!_region.Contains(pointer) || bytes > _region.CommittedBytes - first)
            {
                throw new ArgumentOutOfRangeException(
                    nameof(bytes), bytes,
                    $"not so many bytes of arena '{Name}' at 0x{(ulong)pointer:x}: it has " +
                    $"{CommittedBytes:N0} from 0x{BaseAddress:x} on");
            }

            pages = new PageRange(first >> Pages.Shift, 0);
            pages = pages with { Count = Pages.Holding(first + bytes) - pages.Start };
        }

        ObjectDisposedException.ThrowIf(!_region.OpenForDevices(pages), this);
        return new DeviceRange(this, pages);
    }

    /// <inheritdoc cref="OpenForDevices(void*, long)"/>
    /// <param name="array">What devices will write.</param>
    public DeviceRange OpenForDevices<T>(ArenaArray<T> array)
        where T : unmanaged => OpenForDevices(array.Pointer, array.Length * sizeof(T));

    /// <summary>Closes what <see cref="OpenForDevices(void*, long)"/> opened.</summary>
    internal void CloseForDevices(PageRange pages) => _region.CloseForDevices(pages);
}
