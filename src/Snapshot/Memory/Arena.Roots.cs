using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Snapshot.Memory;

namespace Snapshot;

// Roots: what a program finds again by its name.
public sealed unsafe partial class Arena
{
    /// <summary>
    /// The root of that name. If there is none, makes it with zeros; else it is as it was left, also by an
    /// earlier process.
    /// </summary>
    /// <param name="name">1 to 255 bytes of UTF-8.</param>
    /// <exception cref="SnapshotException">
    /// <see cref="SnapshotErrorCode.LayoutMismatch"/>: it exists with another layout; the message names the
    /// field. <see cref="SnapshotErrorCode.ArenaFull"/>: there is no room to make it.
    /// </exception>
    public ref T Root<[DynamicallyAccessedMembers(LayoutFingerprint.Members)] T>(string name)
        where T : unmanaged => ref *RootPointer<T>(name);

    /// <summary>
    /// <see cref="Root{T}"/> as a pointer, which stays valid until the root is removed, also across restarts.
    /// </summary>
    /// <inheritdoc cref="Root{T}" path="/exception"/>
    public T* RootPointer<[DynamicallyAccessedMembers(LayoutFingerprint.Members)] T>(string name)
        where T : unmanaged => RootArray<T>(name, 1).Pointer;

    /// <summary>
    /// A pointer to what a reference into this arena refers to, which fiber methods can take and keep where
    /// they cannot keep the reference: <c>arena.PointerTo(ref arena.Root&lt;State&gt;("state"))</c>. No
    /// unsafe code is needed.
    /// </summary>
    /// <param name="place">A root, a field of one, or an element of an array in this arena.</param>
    /// <exception cref="ArgumentException">It does not lie in this arena.</exception>
    public ArenaPointer<T> PointerTo<T>(ref T place)
        where T : unmanaged
    {
        T* pointer = (T*)Unsafe.AsPointer(ref place);
        if (!_region.Contains(pointer) || !_region.Contains((byte*)(pointer + 1) - 1))
            throw new ArgumentException($"the reference is not into arena '{Name}'", nameof(place));
        return pointer;
    }

    /// <summary>
    /// The root of that name, an array of <paramref name="count"/> elements. If there is none, makes it with
    /// zeros; else it is as it was left. With 0 elements the root exists, and the array is empty.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="count"/> is negative.</exception>
    /// <exception cref="SnapshotException">
    /// <see cref="SnapshotErrorCode.LayoutMismatch"/>: it exists with another layout or another number of
    /// elements. <see cref="SnapshotErrorCode.ArenaFull"/>: there is no room to make it.
    /// </exception>
    public ArenaArray<T> RootArray<[DynamicallyAccessedMembers(LayoutFingerprint.Members)] T>(
        string name, long count)
        where T : unmanaged
    {
        return ArrayOf((T*)RootMemory(name, RootType.Of<T>(), count), count);
    }

    /// <summary>Finds a root without making it.</summary>
    /// <returns>False when there is none of that name.</returns>
    /// <exception cref="SnapshotException"><see cref="SnapshotErrorCode.LayoutMismatch"/>: it exists with
    /// another layout.</exception>
    public bool TryGetRoot<[DynamicallyAccessedMembers(LayoutFingerprint.Members)] T>(
        string name, out ArenaArray<T> root)
        where T : unmanaged
    {
        void* memory = FindRootMemory(name, RootType.Of<T>(), out long count);
        root = memory is null ? default : ArrayOf((T*)memory, count);
        return memory is not null;
    }

    /// <summary>Removes a root and frees its memory.</summary>
    /// <returns>False when there is none of that name.</returns>
    public bool RemoveRoot(string name)
    {
        using Lock.Scope scope = Enter();
        return _roots.Remove(name);
    }

    /// <summary><see cref="RootArray{T}"/> of a type that is known only when the program runs.</summary>
    internal void* RootMemory(string name, in RootType type, long count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        using Lock.Scope scope = Enter();
        return _roots.FindOrMake(name, type, count);
    }

    /// <summary><see cref="TryGetRoot{T}"/> of such a type; null when there is none.</summary>
    internal void* FindRootMemory(string name, in RootType type, out long count)
    {
        using Lock.Scope scope = Enter();
        RootEntry* entry = _roots.Find(name, type);
        count = entry is null ? 0 : entry->Count;
        return entry is null ? null : _space.Base + entry->DataOffset;
    }

    /// <summary>The memory of the root of that name, or null: there is none of that size in bytes.</summary>
    internal void* FindRootMemory(string name, long bytes)
    {
        ArenaRoot? root = Roots.FirstOrDefault(root => root.Name == name && root.Bytes == bytes);
        return root is null ? null : _space.Base + root.Offset;
    }
}
