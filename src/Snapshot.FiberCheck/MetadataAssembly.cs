using System.Collections.Immutable;
using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace Snapshot.FiberCheck;

/// <summary>An assembly as a file: what it declares is read, nothing of it is loaded or run.</summary>
internal sealed class MetadataAssembly : IDisposable
{
    /// <summary>
    /// The byte with which the specification of a type begins that has a required modifier.
    /// </summary>
    private const byte RequiredModifier = 0x1f;

    private readonly SignatureTypes _types;

    private MetadataAssembly(string path, PEReader file, ReferenceSet references)
    {
        Path = path;
        File = file;
        References = references;
        Reader = file.GetMetadataReader();
        _types = new SignatureTypes(this);
    }

    internal string Path { get; }

    internal PEReader File { get; }

    internal MetadataReader Reader { get; }

    /// <summary>Where what this assembly refers to is found.</summary>
    internal ReferenceSet References { get; }

    /// <exception cref="CheckException">The file is not an assembly.</exception>
    internal static MetadataAssembly Open(string path, ReferenceSet references)
    {
        PEReader file = new(System.IO.File.OpenRead(path));
        try
        {
            if (file.HasMetadata) return new MetadataAssembly(path, file, references);
        }
        catch (BadImageFormatException)
        {
            // Said below: to the user it is the same whether there is no such part or no such format.
        }

        file.Dispose();
        throw new CheckException($"{path} is not a .NET assembly");
    }

    public void Dispose() => File.Dispose();

    /// <summary>The type of a field of a type that has these type arguments.</summary>
    internal FieldType TypeOf(FieldDefinition field, ImmutableArray<FieldType> arguments) =>
        field.DecodeSignature(_types, arguments);

    /// <summary>The type that a specification gives, when the type parameters stand for themselves.</summary>
    internal FieldType TypeOf(TypeSpecificationHandle specification) =>
        Reader.GetTypeSpecification(specification).DecodeSignature(_types, []);

    /// <summary>The fields that a value of the type has.</summary>
    internal IEnumerable<FieldDefinition> InstanceFields(TypeDefinitionHandle type) =>
        Reader.GetTypeDefinition(type)
            .GetFields()
            .Select(Reader.GetFieldDefinition)
            .Where(field => (field.Attributes & FieldAttributes.Static) == 0);

    /// <summary>The type parameters of a definition, standing for themselves.</summary>
    internal ImmutableArray<FieldType> ParametersOf(TypeDefinitionHandle type) =>
        [.. Reader.GetTypeDefinition(type).GetGenericParameters().Select(Parameter)];

    private FieldType Parameter(GenericParameterHandle handle)
    {
        GenericParameter parameter = Reader.GetGenericParameter(handle);
        bool isStruct =
            (parameter.Attributes & GenericParameterAttributes.NotNullableValueTypeConstraint) != 0;
        return new ParameterType(
            Reader.GetString(parameter.Name),
            isStruct && parameter.GetConstraints().Any(constraint => IsUnmanaged(Reader
                .GetGenericParameterConstraint(constraint).Type)));
    }

    /// <summary>
    /// Whether a constraint of a struct parameter excludes references: <c>unmanaged</c>, which is
    /// <c>ValueType</c> with a required modifier, or <c>Enum</c>.
    /// </summary>
    private bool IsUnmanaged(EntityHandle constraint) => constraint.Kind switch
    {
        HandleKind.TypeSpecification => Reader.GetBlobReader(Reader.GetTypeSpecification(
            (TypeSpecificationHandle)constraint).Signature).ReadByte() == RequiredModifier,
        HandleKind.TypeReference => Reader.StringComparer.Equals(
            Reader.GetTypeReference((TypeReferenceHandle)constraint).Name, "Enum"),
        _ => false,
    };
}
