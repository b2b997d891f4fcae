using System.Collections.Immutable;
using Microsoft.CodeAnalysis;

namespace Snapshot.Analyzers.Rules;

/// <summary>
/// SNAP1102. What a fiber method uses of its instance or of the function around it is a reference in its
/// frame.
/// </summary>
/// <remarks>
/// One that uses nothing of the kind is not refused. It is told, as information, that it may as well be
/// static, which keeps it so.
/// </remarks>
internal sealed class CaptureRule : FiberRule
{
    /// <summary>Set where nothing is captured: what a fix looks for.</summary>
    private const string MayBeStaticKey = "MayBeStatic";

    private static readonly ImmutableDictionary<string, string?> s_mayBeStatic =
        ImmutableDictionary<string, string?>.Empty.Add(MayBeStaticKey, null);

    private static readonly DiagnosticDescriptor s_descriptor = new(
        "SNAP1102",
        "A fiber method uses its instance or captures variables",
        "{0} {1}",
        Category,
        DiagnosticSeverity.Warning,
        isEnabledByDefault: true,
        description: "An instance method of a class keeps 'this' in its frame, a lambda or local function " +
            "keeps the "
            + "object with the variables it captures. The frame of a fiber lives in an arena and cannot keep "
            + "references. Make the function static and pass what it needs as unmanaged arguments.");

    internal override DiagnosticDescriptor Descriptor => s_descriptor;

    internal override void Check(FiberMethod fiber, Action<Diagnostic> report)
    {
        if (fiber.Symbol.IsStatic) return;
        IReadOnlyList<ISymbol> captured = Captures.Of(fiber.Symbol, fiber.Body);
        bool isMethod =
            fiber.Symbol.MethodKind is not (MethodKind.AnonymousFunction or MethodKind.LocalFunction);
        if (isMethod && fiber.Symbol.ContainingType.IsUnmanagedType) return;
        if (captured.Count > 0)
        {
            string type = FiberTypes.NameOf(fiber.Symbol.ContainingType);
            string what = isMethod
                ? $"uses its instance of '{type}', which its frame cannot keep"
                : $"captures {string.Join(", ", captured.Select(Quote))}, which its frame would keep by " +
                    "reference";
            report(Diagnostic.Create(s_descriptor, fiber.Location, Subject(fiber), what));
        }
        else if (!isMethod || MayBeStatic(fiber.Symbol))
        {
            report(Diagnostic.Create(
                s_descriptor,
                fiber.Location,
                DiagnosticSeverity.Info,
                additionalLocations: null,
                properties: s_mayBeStatic,
                Subject(fiber),
                isMethod
                    ? "does not use its instance and can be static" : "captures nothing and can be static"));
        }
    }

    private static string Subject(FiberMethod fiber) =>
        fiber.Symbol.MethodKind == MethodKind.AnonymousFunction ? "The lambda" : $"Fiber method {fiber.Name}";

    private static string Quote(ISymbol captured) =>
        captured is ITypeSymbol ? "'this'" : $"'{captured.Name}'";

    private static bool MayBeStatic(IMethodSymbol method) => method is
    {
        MethodKind: MethodKind.Ordinary,
        IsVirtual: false,
        IsAbstract: false,
        IsOverride: false,
        PartialDefinitionPart: null,
        PartialImplementationPart: null,
        ContainingType.TypeKind: TypeKind.Class,
    }
    && !ImplementsMember(method);

    private static bool ImplementsMember(IMethodSymbol method) => method.ContainingType.AllInterfaces
        .SelectMany(type => type.GetMembers(method.Name))
        .Any(member => SymbolEqualityComparer.Default.Equals(
            method.ContainingType.FindImplementationForInterfaceMember(member), method));
}
