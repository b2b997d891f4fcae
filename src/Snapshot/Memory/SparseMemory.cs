using System.Runtime.InteropServices;
using Snapshot.Base;
using Snapshot.Interop;

namespace Snapshot.Memory;

/// <summary>
/// Zeroed memory anywhere, of which only what is written costs: the kernel is not asked to keep room for all
/// of it.
/// </summary>
/// <remarks>
/// For tables with an entry a page, and for what follows from a size that an image states: zeros cost nothing
/// there, and so not here. Large memory is a mapping of its own. The C library's would be one, too, at first;
/// once it has got some back it serves the next from what it keeps, and writes all the zeros. Small memory is
/// from there: a mapping each would cost more.
/// </remarks>
internal sealed unsafe class SparseMemory : IDisposable
{
    private const long SmallBytes = 64 << 10;

    private readonly ulong _mappedBytes;
    private ulong _base;

    /// <param name="bytes">May be 0.</param>
    /// <param name="what">What it is for, for the message.</param>
    /// <param name="apart">Never from the C library: what serves writes must not be where a program's freed
    /// memory may still be protected.</param>
    /// <exception cref="SnapshotException">SystemCall: Linux gives no range of so many addresses.</exception>
    internal SparseMemory(long bytes, string what, bool apart = false)
    {
        if (bytes <= SmallBytes && !apart)
        {
            _base = (ulong)NativeMemory.AllocZeroed((nuint)Math.Max(bytes, 1));
            return;
        }

        _mappedBytes = (ulong)Pages.AlignUp(bytes, Pages.Size);
        ulong address;
        NativeError.ThrowIfNoMemory(
            Native.sn_memory_map_sparse(_mappedBytes, &address), "mmap",
            AddressSpaceLimit.With(
                $"Snapshot needs {_mappedBytes:N0} bytes of address space for {what}. Look at " +
                "vm.overcommit_memory and ulimit -v."));
        _base = address;
    }

    /// <summary>On a boundary of 16 bytes.</summary>
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
        if (_mappedBytes > 0) _ = Native.sn_memory_release(_base, _mappedBytes);
        else NativeMemory.Free((void*)_base);
        _base = 0;
    }
}
