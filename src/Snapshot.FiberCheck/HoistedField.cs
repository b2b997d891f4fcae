using System.Collections.Immutable;
using System.Reflection.Metadata;

namespace Snapshot.FiberCheck;

/// <summary>A field of a state machine and what its author knows it as.</summary>
/// <param name="Handle">The field in its assembly.</param>
/// <param name="FieldName">The compiler's name for it.</param>
/// <param name="Role">What it stands for.</param>
/// <param name="Name">The author's name for it, or names, or null where there is none.</param>
/// <param name="Type">Its type.</param>
/// <remarks>
/// The names are the C# compiler's: <c>&lt;name&gt;5__1</c> for locals, the bare name for parameters,
/// <c>&lt;&gt;4__this</c>, <c>&lt;&gt;8__1</c> for a closure, <c>&lt;&gt;7__wrap1</c> for its own.
/// They decide about words only; whether a field is refused depends on its type alone.
/// </remarks>
internal sealed record HoistedField(
    FieldDefinitionHandle Handle, string FieldName, FieldRole Role, string? Name, FieldType Type)
{
    private const string ThisField = "<>4__this";

    internal static HoistedField Read(
        MetadataAssembly assembly, FieldDefinitionHandle handle, ImmutableArray<FieldType> parameters)
    {
        FieldDefinition field = assembly.Reader.GetFieldDefinition(handle);
        string name = assembly.Reader.GetString(field.Name);
        FieldType type = assembly.TypeOf(field, parameters);
        (FieldRole role, string? words) = Interpret(name, type);
        return new HoistedField(handle, name, role, words, type);
    }

    private static (FieldRole Role, string? Name) Interpret(string field, FieldType type)
    {
        if (!field.StartsWith('<')) return (FieldRole.Parameter, field);
        if (IsClosure(type))
        {
            FieldRole role = field == ThisField ? FieldRole.Captured : FieldRole.CapturedByLambda;
            return (role, Join(VariablesOf((NamedType)type)));
        }

        if (field == ThisField) return (FieldRole.This, "this");

        int end = field.IndexOf('>', StringComparison.Ordinal);
        char kind = end > 0 && end + 1 < field.Length ? field[end + 1] : '\0';
        return kind switch
        {
            '5' => (FieldRole.Local, field[1..end]),
            'u' => (FieldRole.Awaiter, null),
            't' => (FieldRole.Builder, null),
            _ => (FieldRole.Temporary, null),
        };
    }

    private static bool IsClosure(FieldType type) =>
        type is NamedType { IsStruct: false } named &&
        NameOf(named).StartsWith("<>c", StringComparison.Ordinal);

    private static string NameOf(NamedType type) => type.Handle.Kind == HandleKind.TypeDefinition
        ? type.Assembly.Reader.GetString(
            type.Assembly.Reader.GetTypeDefinition((TypeDefinitionHandle)type.Handle).Name)
        : "";

    /// <summary>The variables in a closure, and in the closures around it.</summary>
    private static IEnumerable<string> VariablesOf(NamedType closure)
    {
        MetadataReader reader = closure.Assembly.Reader;
        foreach (FieldDefinition field in closure.Assembly.InstanceFields(
            (TypeDefinitionHandle)closure.Handle))
        {
            string name = reader.GetString(field.Name);
            FieldType type = closure.Assembly.TypeOf(field, closure.Arguments);
            if (name == ThisField) yield return "this";
            else if (!name.Contains('<', StringComparison.Ordinal)) yield return name;
            else if (IsClosure(type))
            {
                foreach (string outer in VariablesOf((NamedType)type)) yield return outer;
            }
        }
    }

    private static string? Join(IEnumerable<string> names)
    {
        string joined = string.Join(", ", names.Select(name => $"'{name}'"));
        return joined.Length == 0 ? null : joined;
    }
}
