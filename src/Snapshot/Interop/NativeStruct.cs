using System.Collections;

namespace Snapshot.Interop;

/// <summary>Where a field lies; or, where <see cref="Field"/> is empty, how large a struct is.</summary>
/// <remarks>
/// Nothing here is generic code for a value type: that is not compiled ahead of time, and every program would
/// wait for the compiler when it loads the library.
/// </remarks>
internal sealed record FieldLayout(string Structure, string Field, long Offset, long Bytes)
{
    /// <summary>Where and how large, in words.</summary>
    internal string Place =>
        Field.Length == 0 ? $"of {Bytes} bytes" : $"at offset {Offset} with {Bytes} bytes";

    /// <summary>What it is, in words.</summary>
    internal string Name =>
        Field.Length == 0 ? $"struct {Structure}" : $"field {Field} of struct {Structure}";
}

/// <summary>
/// A struct that C knows, too, as it was compiled here: its size, and then its fields in their order.
/// </summary>
/// <param name="name">Its name in C.</param>
/// <param name="at">
/// One of them, from which the places of its fields are counted; its content does not matter.
/// </param>
/// <param name="bytes">Its size.</param>
internal sealed unsafe class NativeStruct(string name, void* at, long bytes) : IEnumerable<FieldLayout>
{
    private readonly List<FieldLayout> _layouts = [new(name, "", 0, bytes)];
    private readonly nint _base = (nint)at;

    /// <summary>Adds a field.</summary>
    /// <param name="field">Its name in C.</param>
    /// <param name="place">Its address in the one that was given.</param>
    internal void Add(string field, byte* place) => Add(field, place, sizeof(byte));

    /// <inheritdoc cref="Add(string, byte*)"/>
    internal void Add(string field, ushort* place) => Add(field, place, sizeof(ushort));

    /// <inheritdoc cref="Add(string, byte*)"/>
    internal void Add(string field, int* place) => Add(field, place, sizeof(int));

    /// <inheritdoc cref="Add(string, byte*)"/>
    internal void Add(string field, uint* place) => Add(field, place, sizeof(uint));

    /// <inheritdoc cref="Add(string, byte*)"/>
    internal void Add(string field, long* place) => Add(field, place, sizeof(long));

    /// <inheritdoc cref="Add(string, byte*)"/>
    internal void Add(string field, ulong* place) => Add(field, place, sizeof(ulong));

    /// <inheritdoc cref="Add(string, byte*)"/>
    internal void Add(string field, nint* place) => Add(field, place, sizeof(nint));

    /// <summary>Adds a field that is several here, an array, or a struct.</summary>
    internal void Add(string field, void* place, int bytes) =>
        _layouts.Add(new FieldLayout(name, field, (nint)place - _base, bytes));

    public IEnumerator<FieldLayout> GetEnumerator() => _layouts.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
