using Microsoft.CodeAnalysis;

namespace Snapshot.Analyzers;

/// <summary>The types of the library that make a method a fiber's, as one compilation knows them.</summary>
internal sealed class FiberTypes
{
    private readonly INamedTypeSymbol _task;
    private readonly INamedTypeSymbol? _taskOfResult;
    private readonly INamedTypeSymbol? _awaiter;

    private FiberTypes(INamedTypeSymbol task, Compilation compilation)
    {
        _task = task;
        _taskOfResult = compilation.GetTypeByMetadataName("Snapshot.Fibers.FiberTask`1");
        _awaiter = compilation.GetTypeByMetadataName("Snapshot.Fibers.IFiberAwaiter");
    }

    /// <summary>The assembly that declares fibers: it handles their tasks in ways no one else may.</summary>
    internal IAssemblySymbol Library => _task.ContainingAssembly;

    /// <summary>The types, or null where the library is not referenced: there are no fibers then.</summary>
    internal static FiberTypes? Find(Compilation compilation) =>
        compilation.GetTypeByMetadataName("Snapshot.Fibers.FiberTask") is { } task
            ? new FiberTypes(task, compilation)
            : null;

    internal bool IsTask(ITypeSymbol? type) =>
        type is not null
        && (SymbolEqualityComparer.Default.Equals(type, _task)
            || (_taskOfResult is not null
                && SymbolEqualityComparer.Default.Equals(type.OriginalDefinition, _taskOfResult)));

    /// <summary>
    /// Whether a value is good for nothing but to be awaited at once: a task, or what
    /// <c>Fiber.Safepoint()</c> returns, which is its own awaiter.
    /// </summary>
    internal bool IsToBeAwaited(ITypeSymbol? type) => IsTask(type)
        || (type is { IsValueType: true }
            && type.AllInterfaces.Contains(_awaiter!, SymbolEqualityComparer.Default)
            && !type.GetMembers("GetAwaiter").IsEmpty);

    /// <summary>
    /// Whether the compiler makes a state machine of the function that is to live in an arena.
    /// </summary>
    internal bool IsFiber(IMethodSymbol function) => function.IsAsync && IsTask(function.ReturnType);

    /// <summary>
    /// Whether a value of the type in a frame would be, contain, or be able to contain a reference. Ref
    /// structs are left out: the compiler refuses them itself. So are types that do not exist.
    /// </summary>
    internal static bool HoldsReference(ITypeSymbol? type) =>
        type is { IsUnmanagedType: false, IsRefLikeType: false, TypeKind: not TypeKind.Error }
        && type.SpecialType != SpecialType.System_Void;

    /// <summary>
    /// Whether values of the type contain a <c>fixed</c> buffer, themselves or in a struct in them.
    /// </summary>
    internal static bool HasFixedBuffer(ITypeSymbol type) =>
        type is INamedTypeSymbol { TypeKind: TypeKind.Struct, IsUnmanagedType: true }
        && type.SpecialType == SpecialType.None
        && type.GetMembers().OfType<IFieldSymbol>()
            .Any(field => !field.IsStatic && (field.IsFixedSizeBuffer || HasFixedBuffer(field.Type)));

    /// <summary>The type as a message names it.</summary>
    internal static string NameOf(ITypeSymbol? type) =>
        type?.WithNullableAnnotation(NullableAnnotation.None)
            .ToDisplayString(SymbolDisplayFormat.CSharpShortErrorMessageFormat) ?? "?";
}
