using Snapshot.Base;
using Snapshot.Interop;

namespace Snapshot.Checkpoint;

/// <summary>
/// The memory into which changed pages are copied: page-sized slots, handed out in order, all returned at once.
/// Shared by the regions of a session.
/// </summary>
/// <remarks>
/// Address space for the limit is reserved once; memory is used as slots are written. Slots that the last checkpoint
/// used stay resident, so that the next one of the same size does not fault inside its pause. No managed allocation
/// after construction. Used by the checkpoint thread alone.
/// </remarks>
internal sealed unsafe class StagingArea : IDisposable
{
    // Handing out and pre-faulting go in steps of a huge page.
    private const int StepPages = Pages.HugeSize / Pages.Size;

    private readonly ulong _base;
    private readonly long _capacity;
    private long _used;
    private long _resident;
    private bool _disposed;

    /// <param name="limitBytes">Bytes that staged pages may take at most.</param>
    internal StagingArea(long limitBytes)
    {
        _capacity = Pages.AlignUp(limitBytes, Pages.HugeSize) >> Pages.Shift;
        ulong address;
        NativeError.ThrowIfFailed(
            Native.sn_memory_map((ulong)Pages.Bytes(_capacity), huge: 1, &address),
            "mmap of the staging area",
            $"It takes {Pages.Bytes(_capacity)} bytes of address space; set SnapshotOptions.StagingLimit lower.");
        _base = address;
    }

    /// <summary>Slots in use.</summary>
    internal long Used => _used;

    /// <summary>Pages copied to slots since construction.</summary>
    internal long Copied { get; private set; }

    /// <summary>Takes one more slot and returns its number, or -1 when the limit is reached.</summary>
    internal long Take() => _used < _capacity ? _used++ : -1;

    /// <summary>The memory of a slot.</summary>
    internal byte* Slot(long slot) => (byte*)_base + Pages.Bytes(slot);

    /// <summary>Copies the first <paramref name="bytes"/> bytes of a page to a slot, and zeros behind them.</summary>
    internal void Copy(byte* page, long bytes, long slot)
    {
        byte* target = Slot(slot);
        Buffer.MemoryCopy(page, target, Pages.Size, bytes);
        if (bytes < Pages.Size) new Span<byte>(target + bytes, (int)(Pages.Size - bytes)).Clear();
        Copied++;
    }

    /// <summary>
    /// Faults in memory for <paramref name="pages"/> more slots, as far as the limit goes, so that copying to them
    /// does not fault.
    /// </summary>
    internal void Prefault(long pages)
    {
        long wanted = Math.Min(Pages.AlignUp(_used + pages, StepPages), _capacity);
        if (wanted <= _resident) return;
        NativeError.ThrowIfFailed(
            Native.sn_memory_populate(_base + (ulong)Pages.Bytes(_resident), (ulong)Pages.Bytes(wanted - _resident)),
            "madvise(MADV_POPULATE_WRITE) of the staging area",
            $"{Pages.Bytes(wanted)} bytes are needed to stage changed pages: leave that much memory free, or take " +
            "checkpoints more often.");
        _resident = wanted;
    }

    /// <summary>Returns every slot; memory beyond what was in use goes back to the system.</summary>
    internal void ReturnAll()
    {
        long keep = Pages.AlignUp(_used, StepPages);
        if (_resident > keep)
        {
            NativeError.ThrowIfFailed(
                Native.sn_memory_discard(_base + (ulong)Pages.Bytes(keep), (ulong)Pages.Bytes(_resident - keep)),
                "madvise(MADV_DONTNEED) of the staging area",
                "This does not happen on a supported kernel; please report it.");
        }

        _resident = keep;
        _used = 0;
    }

    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        NativeError.ThrowIfFailed(
            Native.sn_memory_release(_base, (ulong)Pages.Bytes(_capacity)),
            "munmap of the staging area",
            "This does not happen on a supported kernel; please report it.");
    }
}
