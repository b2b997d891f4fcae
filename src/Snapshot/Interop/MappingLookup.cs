using System.Runtime.InteropServices;
using Snapshot.Base;

namespace Snapshot.Interop;

/// <summary>
/// Tells what this process has mapped in a range: of the kernel for each mapping (Linux 6.11), else by a copy
/// of its list, made when it is first needed after <see cref="Forget"/>.
/// </summary>
/// <remarks>Thread-safe. No managed allocation after construction.</remarks>
internal sealed unsafe class MappingLookup : IDisposable
{
    private readonly Lock _using = new();
    private readonly MapsDescriptor? _asked;
    private Mapping* _list;
    private ulong _capacity;
    private ulong _count;

    /// <param name="maps">Owned from here on.</param>
    private MappingLookup(MapsDescriptor? maps) => _asked = maps;

    /// <summary>Null where the kernel does not tell at all.</summary>
    /// <param name="asks">Whether it is asked for each mapping where that works.</param>
    internal static MappingLookup? TryOpen(bool asks = true)
    {
        if (MapsDescriptor.TryOpen(out MapsDescriptor? maps) != 0) return null;
        if (asks && maps!.Query(0, out _) is 0 or Errno.NotFound) return new MappingLookup(maps);
        maps!.Dispose();
        return new MappingLookup(null);
    }

    /// <summary>What was mapped before is not known any more.</summary>
    internal void Forget()
    {
        lock (_using) _count = 0;
    }

    /// <summary>
    /// What the mappings of a range are: all are readable, and the rest is what one at least is.
    /// </summary>
    /// <param name="start">The first address.</param>
    /// <param name="end">The one after the last.</param>
    /// <param name="gap">The first address at which nothing is mapped that can be read, or 0.</param>
    /// <exception cref="SnapshotException">SystemCall.</exception>
    internal MappingKinds Of(ulong start, ulong end, out ulong gap)
    {
        lock (_using)
        {
            MappingKinds kinds = MappingKinds.Readable;
            gap = 0;
            for (ulong at = start; at < end;)
            {
                if (!TryFind(at, out Mapping mapping) ||
                    ((MappingKinds)mapping.Kind & MappingKinds.Readable) == 0)
                {
                    gap = at;
                    return MappingKinds.None;
                }

                kinds |= (MappingKinds)mapping.Kind;
                at = mapping.End;
            }

            return kinds;
        }
    }

    public void Dispose()
    {
        _asked?.Dispose();
        NativeMemory.Free(_list);
        _list = null;
        GC.SuppressFinalize(this);
    }

    ~MappingLookup() => NativeMemory.Free(_list);

    private bool TryFind(ulong address, out Mapping mapping)
    {
        if (_asked is not null)
        {
            int errno = _asked.Query(address, out mapping);
            if (errno is 0 or Errno.NotFound) return errno == 0;
            throw Failed(errno);
        }

        if (_count == 0) ReadList();
        ulong low = 0, high = _count;
        while (low < high)
        {
            ulong middle = (low + high) / 2;
            if (_list[middle].End <= address) low = middle + 1;
            else high = middle;
        }

        mapping = low < _count ? _list[low] : default;
        return low < _count && mapping.Start <= address;
    }

    private void ReadList()
    {
        ulong count;
        int errno;
        while ((errno = Native.sn_maps_list(_list, _capacity, &count)) == Errno.Range)
        {
            _capacity = count + (count / 2);
            _list = (Mapping*)NativeMemory.Realloc(_list, (nuint)_capacity * (nuint)sizeof(Mapping));
        }

        if (errno != 0) throw Failed(errno);
        _count = count;
    }

    private static SnapshotException Failed(int errno) => NativeError.For(
        errno, "look at /proc/self/maps", PagemapDescriptor.ChangedUser);
}
