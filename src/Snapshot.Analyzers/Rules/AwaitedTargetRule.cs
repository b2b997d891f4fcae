using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace Snapshot.Analyzers.Rules;

/// <summary>
/// SNAP1111. <c>p.Value.X = await F()</c>: the place is taken before the await, through a reference that
/// cannot be kept across it. The compiler refuses to assign to the reference itself (CS8178), but not to a
/// field of what it refers to: that compiles, and throws NullReferenceException once the await has waited.
/// </summary>
internal sealed class AwaitedTargetRule : FiberRule
{
    private static readonly DiagnosticDescriptor s_descriptor = new(
        "SNAP1111",
        "An awaited value is assigned through a returned reference",
        "'{0}' is reached through a reference that is lost across the await; the C# compiler does not say " +
        "so, and the "
            + "assignment throws NullReferenceException: await into a local first",
        Category,
        DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        description: "The target of an assignment is evaluated before its value. A reference returned by a " +
            "property or "
            +
            "method (ArenaPointer<T>.Value, the indexer of ArenaArray<T>) cannot be kept in a state " +
            "machine. This is "
            + "so in every async method, not in fibers alone.");

    internal override DiagnosticDescriptor Descriptor => s_descriptor;

    internal override void Check(FiberMethod fiber, Action<Diagnostic> report)
    {
        foreach (IOperation operation in fiber.Operations)
        {
            if (operation is not ISimpleAssignmentOperation assignment) continue;
            if (!IsThroughReference(assignment.Target)) continue;
            if (!FiberMethod.Own(assignment.Value).Any(operation => operation is IAwaitOperation)) continue;
            SyntaxNode target = assignment.Target.Syntax;
            report(Diagnostic.Create(s_descriptor, target.GetLocation(), target.ToString()));
        }
    }

    /// <summary>A field, or a field of a field, of a struct that a returned reference refers to.</summary>
    private static bool IsThroughReference(IOperation target)
    {
        IOperation? place = target;
        while (place is IFieldReferenceOperation { Field.ContainingType.IsValueType: true } field)
            place = field.Instance;
        return place switch
        {
            IPropertyReferenceOperation { Property.RefKind: not RefKind.None } => place != target,
            IInvocationOperation { TargetMethod.RefKind: not RefKind.None } => place != target,
            _ => false,
        };
    }
}
