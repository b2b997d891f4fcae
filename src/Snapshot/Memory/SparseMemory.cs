using Snapshot.Base;
using Snapshot.Interop;

namespace Snapshot.Memory;

/// <summary>
/// Zeroed memory anywhere, of which only what is written costs: the kernel is not asked to keep room for all of it.
/// </summary>
/// <remarks>For what follows from a size that an image states: zeros cost nothing there, and so not here.</remarks>
internal sealed unsafe class SparseMemory : IDisposable
{
    private readonly ulong _bytes;
    private ulong _base;

    /// <param name="bytes">May be 0.</param>
    /// <param name="what">What it is for, for the message.</param>
    /// <exception cref="SnapshotException">SystemCall: so many addresses are not to be had.</exception>
    internal SparseMemory(long bytes, string what)
    {
        _bytes = (ulong)Pages.AlignUp(Math.Max(bytes, 1), Pages.Size);
        ulong address;
        NativeError.ThrowIfFailed(
            Native.sn_memory_map_sparse(_bytes, &address), "mmap",
            $"{_bytes:N0} bytes of address space are needed for {what}; check ulimit -v and vm.overcommit_memory.");
        _base = address;
    }

    internal byte* Address => (byte*)_base;

    public void Dispose()
    {
        Release();
        GC.SuppressFinalize(this);
    }

    ~SparseMemory() => Release();

    private void Release()
    {
        if (_base == 0) return;
        _ = Native.sn_memory_release(_base, _bytes);
        _base = 0;
    }
}
