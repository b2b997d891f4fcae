using System.Buffers;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using Snapshot.Memory;

namespace Snapshot;

/// <summary>A fixed number of elements in an arena: a pointer and a length.</summary>
/// <typeparam name="T">The element.</typeparam>
/// <remarks>
/// The value is unmanaged, so it may be stored in an arena. It stays valid across a restart, because arenas
/// come back at their addresses. It does not own the memory: after
/// <see cref="Arena.Free{T}(ArenaArray{T})"/>, or when the session is closed, it must not be used, and
/// nothing detects it when it is. Reading and writing elements from several threads follows the rules of
/// ordinary memory.
/// </remarks>
public readonly unsafe struct ArenaArray<T>
    where T : unmanaged
{
    private readonly T* _pointer;
    private readonly long _length;

    internal ArenaArray(T* pointer, long length)
    {
        _pointer = pointer;
        _length = length;
    }

    /// <summary>The first element; null when empty.</summary>
    public T* Pointer => _pointer;

    /// <summary>The number of elements.</summary>
    public long Length => _length;

    /// <summary>Whether there are no elements, as in the default value.</summary>
    public bool IsEmpty => _length == 0;

    /// <summary>The element at <paramref name="index"/>, bounds-checked.</summary>
    /// <exception cref="ArgumentOutOfRangeException">
    /// The index is negative or not less than <see cref="Length"/>.
    /// </exception>
    public ref T this[long index]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            if ((ulong)index >= (ulong)_length) ThrowIndex(index);
            return ref _pointer[index];
        }
    }

    /// <summary>
    /// A pointer to the element at <paramref name="index"/>, which fiber methods can take and keep where they
    /// cannot keep a reference. No unsafe code is needed.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">
    /// The index is negative or not less than <see cref="Length"/>.
    /// </exception>
    public ArenaPointer<T> PointerTo(long index)
    {
        if ((ulong)index >= (ulong)_length) ThrowIndex(index);
        return _pointer + index;
    }

    /// <summary>All elements as a span.</summary>
    /// <exception cref="InvalidOperationException">
    /// There are more than <see cref="int.MaxValue"/>; take slices.
    /// </exception>
    public Span<T> AsSpan()
    {
        if (_length > int.MaxValue) ThrowTooLong("AsSpan");
        return new Span<T>(_pointer, (int)_length);
    }

    /// <summary>The <paramref name="length"/> elements from <paramref name="start"/> on.</summary>
    /// <exception cref="ArgumentOutOfRangeException">They are not within the array.</exception>
    public Span<T> AsSpan(long start, int length)
    {
        CheckSlice(start, length);
        return new Span<T>(_pointer + start, length);
    }

    /// <summary>
    /// All elements as a <see cref="Memory{T}"/>, for interfaces that need one; allocates its manager.
    /// </summary>
    /// <exception cref="InvalidOperationException">
    /// There are more than <see cref="int.MaxValue"/>; take slices.
    /// </exception>
    public Memory<T> AsMemory()
    {
        if (_length > int.MaxValue) ThrowTooLong("AsMemory");
        return AsMemory(0, (int)_length);
    }

    /// <summary>
    /// The <paramref name="length"/> elements from <paramref name="start"/> on; allocates a manager.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">They are not within the array.</exception>
    public Memory<T> AsMemory(long start, int length)
    {
        CheckSlice(start, length);
        return new ArenaMemoryManager<T>(_pointer + start, length).Memory;
    }

    /// <summary>All elements as a tensor of rank one, of any length; reshape it as needed.</summary>
    public TensorSpan<T> AsTensorSpan() => new(_pointer, (nint)_length);

    private void CheckSlice(long start, int length)
    {
        if (start < 0 || length < 0 || start > _length - length)
        {
            throw new ArgumentOutOfRangeException(
                nameof(start),
                $"elements [{start}, {start + length}) are not within the {_length} of the array");
        }
    }

    private void ThrowIndex(long index) =>
        throw new ArgumentOutOfRangeException(
            nameof(index), $"{index} is not within the array's {_length} elements");

    private void ThrowTooLong(string member) => throw new InvalidOperationException(
        $"The array has {_length} elements and {member}() can show at most {int.MaxValue}; " +
        $"take slices with {member}(start, length), or AsTensorSpan().");
}
