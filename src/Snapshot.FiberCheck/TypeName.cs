using System.Collections.Immutable;
using System.Globalization;
using System.Reflection.Metadata;

namespace Snapshot.FiberCheck;

/// <summary>Spells types as C# does.</summary>
internal static class TypeName
{
    /// <summary>For example <c>List&lt;int&gt;.Enumerator</c>, <c>int?</c> or <c>(int, string)</c>.</summary>
    internal static string Of(NamedType type)
    {
        ImmutableArray<FieldType> arguments = type.Arguments;
        List<string> parts = PartsOf(type.Assembly.Reader, type.Handle);
        if (parts is ["Nullable`1"] && arguments.Length == 1) return arguments[0].Name + "?";
        if (arguments.Length > 1 && parts[0].StartsWith("ValueTuple`", StringComparison.Ordinal))
            return $"({Join(arguments)})";

        int used = 0;
        return string.Join('.', parts.Select(part => Spell(part, arguments, ref used)));
    }

    /// <summary>The name of a definition with those around it, without namespace and arity.</summary>
    internal static string Of(MetadataReader reader, TypeDefinitionHandle type) =>
        string.Join('.', PartsOf(reader, type).Select(part => part.Split('`')[0]));

    private static string Spell(string part, ImmutableArray<FieldType> arguments, ref int used)
    {
        string[] halves = part.Split('`', 2);
        if (halves.Length < 2 || !int.TryParse(halves[1], CultureInfo.InvariantCulture, out int arity))
            return part;

        ImmutableArray<FieldType> own = [.. arguments.Skip(used).Take(arity)];
        used += arity;
        return own.IsEmpty ? halves[0] : $"{halves[0]}<{Join(own)}>";
    }

    private static string Join(ImmutableArray<FieldType> types) =>
        string.Join(", ", types.Select(type => type.Name));

    /// <summary>The names in metadata of a type and those around it, outermost first.</summary>
    private static List<string> PartsOf(MetadataReader reader, EntityHandle handle)
    {
        List<string> parts = [];
        while (true)
        {
            EntityHandle around;
            if (handle.Kind == HandleKind.TypeDefinition)
            {
                TypeDefinition definition = reader.GetTypeDefinition((TypeDefinitionHandle)handle);
                parts.Insert(0, reader.GetString(definition.Name));
                around = definition.GetDeclaringType();
            }
            else
            {
                TypeReference reference = reader.GetTypeReference((TypeReferenceHandle)handle);
                parts.Insert(0, reader.GetString(reference.Name));
                around = reference.ResolutionScope;
            }

            bool isType = around.Kind is HandleKind.TypeDefinition or HandleKind.TypeReference;
            if (around.IsNil || !isType) return parts;
            handle = around;
        }
    }
}
