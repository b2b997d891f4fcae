using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Operations;
using Snapshot.Analyzers.Flow;

namespace Snapshot.Analyzers.Rules;

/// <summary>
/// SNAP1103. A local, or an intermediate value, that is a reference and needed after an await. Approximate in
/// the fields of structs and in closures that share a scope.
/// </summary>
internal sealed class KeptReferenceRule : FiberRule
{
    private static readonly DiagnosticDescriptor s_descriptor = new(
        "SNAP1103",
        "A reference is needed after an await of a fiber method",
        "{0} is {1} after an await: the frame of a fiber cannot keep {2}",
        Category,
        DiagnosticSeverity.Warning,
        isEnabledByDefault: true,
        description: "What is assigned before an await and used after it is kept in the method's frame, " +
            "which lives "
            +
            "in an arena and comes back in another process. Use unmanaged locals (ArenaPointer<T>, structs, "
            + "indices), assign again after the await, or end the use before it.");

    internal override DiagnosticDescriptor Descriptor => s_descriptor;

    internal override void Check(FiberMethod fiber, Action<Diagnostic> report)
    {
        HashSet<ISymbol> told = new(SymbolEqualityComparer.Default);
        told.UnionWith(KeptExceptionRule.ExceptionsOf(fiber));
        HashSet<SyntaxNode> values = [];
        foreach (Survivor survivor in fiber.Survival.Survivors)
        {
            Slot slot = survivor.Slot;
            if (slot is { Kind: SlotKind.Temporary, Value: { } value })
            {
                bool keeps = Spills.IsKept(value) && FiberTypes.HoldsReference(slot.Type);
                bool isEnumerator = EnumeratorRule.LoopOf(slot) is not null;
                if (keeps && !isEnumerator && values.Add(value.Syntax)) report(Intermediate(value));
            }
            else if (slot.Symbol is { } variable && Keeps(slot) && told.Add(variable))
            {
                report(Variable(slot, survivor.Use));
            }
        }

        foreach (IOperation operand in fiber.Survival.Spilled)
        {
            if (Variable(operand) is { } variable && !told.Add(variable)) continue;
            if (values.Add(operand.Syntax)) report(Intermediate(operand));
        }
    }

    /// <summary>
    /// Parameters have a rule of their own, but for those that have moved into a closure object.
    /// </summary>
    private static bool Keeps(Slot slot) => slot.Kind == SlotKind.Closure
        || (slot.Kind == SlotKind.Variable && slot.Symbol is ILocalSymbol &&
            FiberTypes.HoldsReference(slot.Type));

    private static ISymbol? Variable(IOperation operand) => operand switch
    {
        IConversionOperation conversion when FiberTypes.HoldsReference(conversion.Operand.Type) =>
            Variable(conversion.Operand),
        ILocalReferenceOperation local => local.Local,
        IParameterReferenceOperation parameter => parameter.Parameter,
        _ => null,
    };

    private static Diagnostic Variable(Slot slot, IOperation use)
    {
        string type = FiberTypes.NameOf(slot.Type);
        string what = slot.Kind == SlotKind.Closure
            ? $"Captured variable '{slot.Symbol!.Name}'"
            : $"Local '{slot.Symbol!.Name}' of type '{type}'";
        string kept = slot.Kind == SlotKind.Closure ? "the object it lives in" : "a reference";
        return Diagnostic.Create(
            s_descriptor,
            Place(use.Syntax),
            additionalLocations: slot.Symbol.Locations,
            what,
            use.IsImplicit && slot.Kind != SlotKind.Closure ? "disposed of" : "used",
            kept);
    }

    private static Diagnostic Intermediate(IOperation value) => Diagnostic.Create(
        s_descriptor,
        value.Syntax.GetLocation(),
        $"The value of '{Quote(value.Syntax)}', which is or becomes a reference,",
        "needed",
        "it");

    /// <summary>
    /// The name in a declaration, rather than all of it, where a variable is disposed of by <c>using</c>.
    /// </summary>
    private static Location Place(SyntaxNode use) =>
        use is VariableDeclaratorSyntax declarator ? declarator.Identifier.GetLocation() : use.GetLocation();
}
