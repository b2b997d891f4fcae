using Microsoft.CodeAnalysis;
using Snapshot.Analyzers.Flow;

namespace Snapshot.Analyzers.Rules;

/// <summary>
/// SNAP1107. The C# compiler does not count the use of a fixed buffer as a use of the local it is in. A local
/// that is used in no other way after an await does not get into the state machine, and reads as zero.
/// </summary>
internal sealed class FixedBufferRule : FiberRule
{
    private static readonly DiagnosticDescriptor s_descriptor = new(
        "SNAP1107",
        "A fixed buffer is used before and after an await",
        "Local '{0}' of type '{1}' has a fixed buffer that is used before and after an await; the C# " +
        "compiler forgets "
            + "its content there without a word: use a struct with [InlineArray]",
        Category,
        DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        description: "In an async method a local struct with a 'fixed' buffer is zero after an await when " +
            "only the "
            + "buffer is used there. This is so for every async method, not for fibers alone. A struct with "
            + "[InlineArray] is kept.");

    internal override DiagnosticDescriptor Descriptor => s_descriptor;

    internal override void Check(FiberMethod fiber, Action<Diagnostic> report)
    {
        HashSet<ISymbol> kept = new(SymbolEqualityComparer.Default);
        kept.UnionWith(fiber.Survival.Survivors
            .Where(survivor => survivor.Slot.Kind is SlotKind.Variable or SlotKind.Closure)
            .Select(survivor => survivor.Slot.Symbol!));
        foreach (Survivor survivor in fiber.Survival.Survivors)
        {
            Slot slot = survivor.Slot;
            if (slot.Kind != SlotKind.FixedBuffer || !kept.Add(slot.Symbol!)) continue;
            report(Diagnostic.Create(
                s_descriptor,
                survivor.Use.Syntax.GetLocation(),
                additionalLocations: slot.Symbol!.Locations,
                slot.Symbol.Name,
                FiberTypes.NameOf(slot.Type)));
        }
    }
}
