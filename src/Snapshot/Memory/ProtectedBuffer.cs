using System.Runtime.InteropServices;
using Snapshot.Base;

namespace Snapshot.Memory;

/// <summary>
/// Memory outside arenas that is in the image: copied out at a checkpoint, copied back at a restart.
/// </summary>
/// <remarks>
/// Its pages are counted from its first byte, which has any address; the last one may be partial. A managed
/// array is pinned by a handle as long as the buffer lives: whether an array was allocated on the pinned heap
/// cannot be asked of the runtime, and the handle costs nothing there. Pinning an array of the ordinary heap
/// is correct, too, but hinders the collector.
/// </remarks>
internal sealed unsafe class ProtectedBuffer : MemoryRegion, IDisposable
{
    private readonly string _name;
    private readonly byte* _address;
    private GCHandle _pin;

    private ProtectedBuffer(string name, byte* address, long bytes, int elementSize, GCHandle pin)
    {
        _name = name;
        _address = address;
        _pin = pin;
        ByteLength = bytes;
        ElementSize = elementSize;
    }

    internal override string RegionName => _name;

    internal override byte* Address => _address;

    internal override long CommittedPages => CapacityPages;

    internal override long CapacityPages => Pages.Holding(ByteLength);

    internal long ByteLength { get; }

    internal override long CommittedBytes => ByteLength;

    /// <summary>Bytes of an element, or 0 where it is unknown.</summary>
    internal int ElementSize { get; }

    /// <summary>The elements of a managed array, which is pinned until the buffer is disposed of.</summary>
    internal static ProtectedBuffer Of<T>(string name, T[] array)
        where T : unmanaged
    {
        RecordedName.ThrowIfUnusable(name);
        ArgumentNullException.ThrowIfNull(array);
        GCHandle pin = GCHandle.Alloc(array, GCHandleType.Pinned);
        byte* first = (byte*)pin.AddrOfPinnedObject();
        return new ProtectedBuffer(name, first, (long)array.Length * sizeof(T), sizeof(T), pin);
    }

    /// <summary>A native range, which must stay valid until the buffer is disposed of.</summary>
    internal static ProtectedBuffer Of(string name, void* pointer, long bytes)
    {
        RecordedName.ThrowIfUnusable(name);
        ArgumentNullException.ThrowIfNull(pointer);
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        return new ProtectedBuffer(name, (byte*)pointer, bytes, 0, default);
    }

    /// <summary>Does nothing: nothing of a buffer is ever dropped.</summary>
    internal override void MoveDroppedTo(PageBitmap changed)
    {
    }

    public void Dispose()
    {
        if (_pin.IsAllocated) _pin.Free();
    }
}
