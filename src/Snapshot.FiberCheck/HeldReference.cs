using System.Reflection.Metadata;

namespace Snapshot.FiberCheck;

/// <summary>A managed reference that a value is or contains.</summary>
/// <param name="Path">
/// The fields that lead to it from the value, joined by dots; empty when it is the value.
/// </param>
/// <param name="Type">The type of the reference, or the type parameter that may be one.</param>
internal sealed record HeldReference(string Path, FieldType Type)
{
    /// <summary>
    /// How reference assemblies write the private fields of a struct that are references; they omit their
    /// names.
    /// </summary>
    private const string StandIn = "_dummy";

    /// <summary>
    /// The first managed reference in a value of a type, or null when the type is unmanaged.
    /// </summary>
    /// <exception cref="CheckException">A struct's definition is in none of the references.</exception>
    internal static HeldReference? In(FieldType type) => In(type, "", []);

    /// <summary>The words that follow the type of a value.</summary>
    internal string Words
    {
        get
        {
            string doubt = Type is ParameterType ? ", which may be managed" : "";
            if (Path.Length == 0) return doubt;
            return Path.Split('.')[^1] == StandIn
                ? ", which holds managed references"
                : $", whose field '{Path}' is of type {Type.Name}{doubt}";
        }
    }

    private static HeldReference? In(FieldType type, string path, HashSet<NamedType> around)
    {
        switch (type)
        {
            case PlainType plain:
                return plain.IsReference ? new HeldReference(path, type) : null;
            case ParameterType parameter:
                return parameter.IsUnmanaged ? null : new HeldReference(path, type);
            case NamedType { IsStruct: false }:
                return new HeldReference(path, type);
        }

        // The runtime's own numbers contain themselves; no other struct can.
        NamedType named = (NamedType)type;
        if (!around.Add(named)) return null;
        HeldReference? found = InFields(named, path, around);
        around.Remove(named);
        return found;
    }

    private static HeldReference? InFields(NamedType type, string path, HashSet<NamedType> around)
    {
        (MetadataAssembly assembly, TypeDefinitionHandle definition) = type.Assembly.References.Define(type);
        foreach (FieldDefinition field in assembly.InstanceFields(definition))
        {
            string name = Readable(assembly.Reader.GetString(field.Name));
            string way = path.Length == 0 ? name : $"{path}.{name}";
            if (In(assembly.TypeOf(field, type.Arguments), way, around) is { } found) return found;
        }

        return null;
    }

    /// <summary>
    /// A field's name in the source: that of the property or parameter behind a compiler-made one.
    /// </summary>
    private static string Readable(string name)
    {
        int end = name.IndexOf('>', StringComparison.Ordinal);
        return name.StartsWith('<') && end > 1 ? name[1..end] : name;
    }
}
