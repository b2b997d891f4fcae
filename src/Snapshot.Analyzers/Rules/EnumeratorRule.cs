using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Operations;
using Snapshot.Analyzers.Flow;

namespace Snapshot.Analyzers.Rules;

/// <summary>
/// SNAP1104. A loop that goes on after an await with an enumerator, or with an array, that its frame cannot
/// keep. An enumerator that is a ref struct is refused by the compiler, but only when it emits code: here it
/// is told while typing.
/// </summary>
internal sealed class EnumeratorRule : FiberRule
{
    private static readonly DiagnosticDescriptor s_descriptor = new(
        "SNAP1104",
        "foreach keeps an enumerator with references across an await",
        "foreach over '{0}' keeps {1} across an await, which the frame of a fiber cannot",
        Category,
        DiagnosticSeverity.Warning,
        isEnabledByDefault: true,
        description: "foreach over an array keeps the array, over anything else the enumerator. Where an " +
            "await lies "
            +
            "in the loop that is kept in the method's frame, which lives in an arena. Loop over an index, " +
            "or over "
            + "a struct enumerator without references.");

    internal override DiagnosticDescriptor Descriptor => s_descriptor;

    internal override void Check(FiberMethod fiber, Action<Diagnostic> report)
    {
        HashSet<CommonForEachStatementSyntax> goingOn = LoopsAfterAwait(fiber);
        foreach (IForEachLoopOperation loop in fiber.Operations.OfType<IForEachLoopOperation>())
        {
            if (loop.Syntax is not CommonForEachStatementSyntax syntax || !goingOn.Contains(syntax)) continue;
            if (Kept(loop, syntax) is not { } kept) continue;
            Location place = syntax.Expression.GetLocation();
            report(Diagnostic.Create(s_descriptor, place, Quote(syntax.Expression), kept));
        }
    }

    /// <summary>The loop whose enumerator a temporary is.</summary>
    internal static CommonForEachStatementSyntax? LoopOf(Slot slot) =>
        slot is { Kind: SlotKind.Temporary, Value.Syntax: var syntax }
        && syntax.Parent is CommonForEachStatementSyntax loop && loop.Expression == syntax
            ? loop
            : null;

    /// <summary>
    /// Loops that need their enumerator after an await: for the next element, or, where the compiler disposes
    /// of it, at the end.
    /// </summary>
    private static HashSet<CommonForEachStatementSyntax> LoopsAfterAwait(FiberMethod fiber)
    {
        HashSet<CommonForEachStatementSyntax> loops = [];
        foreach (Survivor survivor in fiber.Survival.Survivors)
        {
            if (LoopOf(survivor.Slot) is not { } loop) continue;
            bool forNext = survivor.Use.Parent is IPropertyReferenceOperation
                or IInvocationOperation { TargetMethod.Name: "MoveNext" or "MoveNextAsync" };
            if (forNext || Disposes(loop, fiber.Body.SemanticModel)) loops.Add(loop);
        }

        return loops;
    }

    private static bool Disposes(CommonForEachStatementSyntax loop, SemanticModel? model)
    {
        if (model is null || model.GetTypeInfo(loop.Expression).Type is IArrayTypeSymbol) return false;
        return model.GetForEachStatementInfo(loop).DisposeMethod is not null;
    }

    /// <summary>The compiler loops over one by an index, in place.</summary>
    private static bool IsInlineArray(ITypeSymbol? type) =>
        type is INamedTypeSymbol { TypeKind: TypeKind.Struct }
            &&
            type.GetAttributes().Any(attribute => attribute.AttributeClass?.Name == "InlineArrayAttribute");

    private static string? Kept(IForEachLoopOperation loop, CommonForEachStatementSyntax syntax)
    {
        if (loop.SemanticModel is not { } model) return null;
        ITypeSymbol? collection = model.GetTypeInfo(syntax.Expression).Type;
        if (collection is IArrayTypeSymbol) return "the array";
        if (collection is { SpecialType: SpecialType.System_String }) return "the string";
        ITypeSymbol? enumerator = model.GetForEachStatementInfo(syntax).GetEnumeratorMethod?.ReturnType;
        if (enumerator is null || IsInlineArray(collection)) return null;
        if (enumerator.IsRefLikeType) return $"the ref struct '{FiberTypes.NameOf(enumerator)}'";
        return FiberTypes.HoldsReference(enumerator)
            ? $"an enumerator '{FiberTypes.NameOf(enumerator)}'" : null;
    }
}
