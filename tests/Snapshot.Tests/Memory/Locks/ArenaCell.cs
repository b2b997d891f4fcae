using System.Runtime.InteropServices;

namespace Snapshot.Tests.Memory.Locks;

/// <summary>
/// Zeroed memory at a fixed address that holds one lock, as an arena would; a copy of it is what a restart
/// finds.
/// </summary>
internal sealed unsafe class ArenaCell<T> : IDisposable
    where T : unmanaged
{
    private readonly T* _address;

    internal ArenaCell()
    {
        _address = (T*)NativeMemory.AlignedAlloc((nuint)sizeof(T), 64);
        NativeMemory.Clear(_address, (nuint)sizeof(T));
    }

    internal ref T Value => ref *_address;

    /// <summary>
    /// The memory as a process that restarts now would find it. Call it while every owner waits or is
    /// outside.
    /// </summary>
    internal ArenaCell<T> Restart()
    {
        ArenaCell<T> copy = new();
        *copy._address = *_address;
        return copy;
    }

    public void Dispose() => NativeMemory.AlignedFree(_address);
}
