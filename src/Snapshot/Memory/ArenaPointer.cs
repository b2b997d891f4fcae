namespace Snapshot;

/// <summary>A pointer into an arena that fiber methods can take as a parameter and keep.</summary>
/// <typeparam name="T">What it points to.</typeparam>
/// <remarks>
/// <c>async</c> methods cannot have parameters of pointer types; this is a struct. Make one with
/// <see cref="Arena.PointerTo{T}"/> or <see cref="ArenaArray{T}.PointerTo"/>, which need no unsafe code and
/// check that it lies in an arena. It also converts to and from <c>T*</c>; then nobody checks. It stays valid
/// across a restart.
/// </remarks>
/// <param name="pointer">Into an arena.</param>
public readonly unsafe struct ArenaPointer<T>(T* pointer) : IEquatable<ArenaPointer<T>>
    where T : unmanaged
{
    private readonly T* _pointer = pointer;

    /// <summary>The pointer.</summary>
    public T* Pointer => _pointer;

    /// <summary>What it points to. Not checked for null.</summary>
    public ref T Value => ref *_pointer;

    /// <summary>Whether it points nowhere.</summary>
    public bool IsNull => _pointer == null;

    /// <summary>The same place.</summary>
    public static implicit operator ArenaPointer<T>(T* pointer) => new(pointer);

    /// <summary>The same place.</summary>
    public static implicit operator T*(ArenaPointer<T> pointer) => pointer._pointer;

    /// <summary>Whether both point to the same place.</summary>
    public static bool operator ==(ArenaPointer<T> left, ArenaPointer<T> right) =>
        left._pointer == right._pointer;

    /// <summary>Whether they point to different places.</summary>
    public static bool operator !=(ArenaPointer<T> left, ArenaPointer<T> right) =>
        left._pointer != right._pointer;

    /// <inheritdoc/>
    public bool Equals(ArenaPointer<T> other) => this == other;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is ArenaPointer<T> other && this == other;

    /// <inheritdoc/>
    public override int GetHashCode() => ((nint)_pointer).GetHashCode();

    /// <inheritdoc/>
    public override string ToString() => $"0x{(nint)_pointer:x}";
}
