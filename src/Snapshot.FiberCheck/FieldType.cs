using System.Collections.Immutable;
using System.Reflection.Metadata;

namespace Snapshot.FiberCheck;

/// <summary>The type of a field, as a signature gives it and with type arguments put in.</summary>
internal abstract record FieldType
{
    /// <summary>The type as C# writes it, without namespaces.</summary>
    internal abstract string Name { get; }
}

/// <summary>A type that needs no look at its definition: a number, a pointer, a string, an array.</summary>
internal sealed record PlainType(string Spelling, bool IsReference) : FieldType
{
    internal override string Name => Spelling;
}

/// <summary>A type parameter of the fiber method or of a type around it.</summary>
internal sealed record ParameterType(string Spelling, bool IsUnmanaged) : FieldType
{
    internal override string Name => Spelling;
}

/// <summary>A class, an interface, a delegate, an enumeration or a struct.</summary>
/// <param name="Assembly">Whose metadata names it.</param>
/// <param name="Handle">A definition or a reference there.</param>
/// <param name="IsStruct">Whether values are stored in the field itself.</param>
/// <param name="Arguments">The type arguments, those of the types around it first.</param>
internal sealed record NamedType(
    MetadataAssembly Assembly, EntityHandle Handle, bool IsStruct, ImmutableArray<FieldType> Arguments)
        : FieldType
{
    internal override string Name => TypeName.Of(this);
}
