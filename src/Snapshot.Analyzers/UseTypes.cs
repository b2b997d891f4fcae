using Microsoft.CodeAnalysis;

namespace Snapshot.Analyzers;

/// <summary>
/// The types of the library that are easily used wrongly anywhere, as one compilation knows them.
/// </summary>
internal sealed class UseTypes
{
    private static readonly string[] s_lockNames =
        ["ArenaMutex", "ArenaReaderWriterLock", "ArenaSemaphore", "ArenaEvent", "ArenaBarrier"];

    private readonly INamedTypeSymbol _participant;
    private readonly HashSet<ITypeSymbol> _locks;

    private UseTypes(INamedTypeSymbol participant, Compilation compilation)
    {
        _participant = participant;
        _locks = new HashSet<ITypeSymbol>(
            s_lockNames.Select(name => compilation.GetTypeByMetadataName($"Snapshot.{name}"))
                .OfType<INamedTypeSymbol>(),
            SymbolEqualityComparer.Default);
        Array = compilation.GetTypeByMetadataName("Snapshot.ArenaArray`1");
        Pointer = compilation.GetTypeByMetadataName("Snapshot.ArenaPointer`1");
        Arena = compilation.GetTypeByMetadataName("Snapshot.Arena");
        Fibers = FiberTypes.Find(compilation);
    }

    internal INamedTypeSymbol? Array { get; }

    internal INamedTypeSymbol? Pointer { get; }

    internal INamedTypeSymbol? Arena { get; }

    internal FiberTypes? Fibers { get; }

    /// <summary>
    /// The types, or null where the library is not referenced, and in the library itself, which may do as it
    /// likes.
    /// </summary>
    internal static UseTypes? Find(Compilation compilation) =>
        compilation.GetTypeByMetadataName("Snapshot.Participant") is { } participant
        && !SymbolEqualityComparer.Default.Equals(participant.ContainingAssembly, compilation.Assembly)
            ? new UseTypes(participant, compilation)
            : null;

    internal bool IsParticipant(ITypeSymbol? type) =>
        SymbolEqualityComparer.Default.Equals(type, _participant);

    /// <summary>The lock that a value of the type is or has in it; null when it has none.</summary>
    internal ITypeSymbol? LockIn(ITypeSymbol? type)
    {
        if (type is not INamedTypeSymbol { TypeKind: TypeKind.Struct, IsRefLikeType: false } named)
            return null;
        if (_locks.Contains(named)) return named;
        if (named.SpecialType != SpecialType.None) return null;
        return named.GetMembers().OfType<IFieldSymbol>()
            .Where(field => !field.IsStatic && !SymbolEqualityComparer.Default.Equals(field.Type, type))
            .Select(field => LockIn(field.Type)).FirstOrDefault(found => found is not null);
    }
}
