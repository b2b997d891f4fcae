using System.Collections.Immutable;
using System.Reflection;
using System.Reflection.Metadata;

namespace Snapshot.FiberCheck;

/// <summary>The type that the compiler made of a fiber method.</summary>
internal sealed class StateMachine
{
    private const string BuilderField = "<>t__builder";

    private StateMachine(MetadataAssembly assembly, TypeDefinitionHandle type)
    {
        Assembly = assembly;
        Type = type;
    }

    internal MetadataAssembly Assembly { get; }

    internal TypeDefinitionHandle Type { get; }

    /// <summary>The method that its author wrote, in words.</summary>
    internal string Method => MethodWords.Of(Assembly.Reader, Type);

    /// <summary>Whether it is an object, as only compilation without optimization makes it.</summary>
    internal bool IsClass
    {
        get
        {
            EntityHandle parent = Assembly.Reader.GetTypeDefinition(Type).BaseType;
            return parent.Kind != HandleKind.TypeReference
                || !Assembly.Reader.StringComparer.Equals(
                    Assembly.Reader.GetTypeReference((TypeReferenceHandle)parent).Name, "ValueType");
        }
    }

    /// <summary>The method with the code that its author wrote.</summary>
    internal MethodDefinitionHandle MoveNext => Assembly.Reader.GetTypeDefinition(Type).GetMethods()
        .First(method => Assembly.Reader.StringComparer.Equals(
            Assembly.Reader.GetMethodDefinition(method).Name, "MoveNext"));

    /// <summary>The code of <see cref="MoveNext"/>.</summary>
    internal MethodBodyBlock Body => Assembly.File.GetMethodBody(
        Assembly.Reader.GetMethodDefinition(MoveNext).RelativeVirtualAddress);

    /// <summary>The state machines of an assembly whose builder is a fiber's.</summary>
    internal static IEnumerable<StateMachine> In(MetadataAssembly assembly)
    {
        MetadataReader reader = assembly.Reader;
        foreach (FieldDefinitionHandle handle in reader.FieldDefinitions)
        {
            FieldDefinition field = reader.GetFieldDefinition(handle);
            if (!reader.StringComparer.Equals(field.Name, BuilderField)) continue;
            TypeDefinitionHandle type = field.GetDeclaringType();
            if (IsFiberBuilder(assembly.TypeOf(field, assembly.ParametersOf(type))))
                yield return new StateMachine(assembly, type);
        }
    }

    /// <summary>What it keeps while it waits.</summary>
    internal IEnumerable<HoistedField> Fields()
    {
        ImmutableArray<FieldType> parameters = Assembly.ParametersOf(Type);
        return Assembly.Reader.GetTypeDefinition(Type).GetFields()
            .Where(handle =>
                (Assembly.Reader.GetFieldDefinition(handle).Attributes & FieldAttributes.Static) == 0)
            .Select(handle => HoistedField.Read(Assembly, handle, parameters));
    }

    private static bool IsFiberBuilder(FieldType type)
    {
        if (type is not NamedType { IsStruct: true } named) return false;
        MetadataReader reader = named.Assembly.Reader;
        (StringHandle space, StringHandle name) = named.Handle.Kind == HandleKind.TypeDefinition
            ? NameOf(reader.GetTypeDefinition((TypeDefinitionHandle)named.Handle))
            : NameOf(reader.GetTypeReference((TypeReferenceHandle)named.Handle));
        return reader.StringComparer.Equals(space, "Snapshot.Fibers")
            && (reader.StringComparer.Equals(name, "FiberTaskBuilder")
                || reader.StringComparer.Equals(name, "FiberTaskBuilder`1"));
    }

    private static (StringHandle Space, StringHandle Name) NameOf(TypeDefinition type) =>
        (type.Namespace, type.Name);

    private static (StringHandle Space, StringHandle Name) NameOf(TypeReference type) =>
        (type.Namespace, type.Name);
}
