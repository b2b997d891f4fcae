namespace Snapshot.FiberCheck;

/// <summary>
/// Finds what keeps the fiber methods of an assembly from living in an arena, by what the compiler made of
/// them.
/// </summary>
/// <remarks>
/// A fiber method may use any object between two awaits. What it keeps across an await the compiler has put
/// into the fields of the method's state machine, so a look at these is exact, where a look at the source
/// could only guess.
/// </remarks>
internal static class FiberChecker
{
    /// <summary>How many methods are named where the fault is the assembly's.</summary>
    private const int NamedMethods = 3;

    /// <summary>The errors of an assembly, in the order of the sources.</summary>
    /// <exception cref="CheckException">
    /// It is no assembly, or a type it uses is in none of the references.
    /// </exception>
    /// <exception cref="BadImageFormatException">A file is damaged.</exception>
    internal static IReadOnlyList<Finding> Check(CheckOptions options)
    {
        using ReferenceSet references = new(options.References);
        using MetadataAssembly assembly = MetadataAssembly.Open(options.Assembly, references);
        StateMachine[] machines = [.. StateMachine.In(assembly)];
        if (machines.Length == 0) return [];

        using SourcePositions positions = new(assembly, options.PathMap);
        StateMachine[] classes = [.. machines.Where(machine => machine.IsClass)];
        return classes.Length > 0
            ? [NotOptimized(classes, positions)]
            : [.. machines.SelectMany(machine => Kept(machine, positions))
                .OrderBy(finding => finding.Where.File, StringComparer.Ordinal)
                .ThenBy(finding => finding.Where.Line)
                .ThenBy(finding => finding.Where.Column)];
    }

    private static IEnumerable<Finding> Kept(StateMachine machine, SourcePositions positions)
    {
        foreach (HoistedField field in machine.Fields())
        {
            if (HeldReference.In(field.Type) is not { } reference) continue;
            FieldUse use = FieldUse.Of(machine, field);
            yield return new Finding(
                positions.Of(machine.MoveNext, use.Offsets),
                DiagnosticId.KeepsReference,
                $"{machine.Method} keeps a managed reference across an await: " +
                Explanation.Of(field, reference, use.Kind));
        }
    }

    /// <summary>Without optimization every local is kept, so nothing can be said about single ones.</summary>
    private static Finding NotOptimized(StateMachine[] machines, SourcePositions positions)
    {
        string methods = string.Join(", ", machines.Take(NamedMethods).Select(machine => machine.Method));
        string more = machines.Length > NamedMethods ? $" and {machines.Length - NamedMethods} more" : "";
        return new Finding(
            positions.Of(machines[0].MoveNext, []),
            DiagnosticId.NotOptimized,
            $"{methods}{more}: compiled without optimization, so that frames are managed objects, which " +
            "cannot live in an arena. Set <Optimize>true</Optimize> for this configuration; debugging " +
            "works with it.");
    }
}
