using System.Collections.Immutable;
using System.Reflection.Metadata;

namespace Snapshot.FiberCheck;

/// <summary>
/// Makes <see cref="FieldType"/> of signatures, in which type arguments, the context, are put.
/// </summary>
internal sealed class SignatureTypes(MetadataAssembly assembly)
    : ISignatureTypeProvider<FieldType, ImmutableArray<FieldType>>
{
    /// <summary>The byte before a type in a signature that says that it is a struct.</summary>
    private const byte ValueType = 0x11;

    public FieldType GetPrimitiveType(PrimitiveTypeCode typeCode) => typeCode switch
    {
        PrimitiveTypeCode.Boolean => new PlainType("bool", false),
        PrimitiveTypeCode.Byte => new PlainType("byte", false),
        PrimitiveTypeCode.SByte => new PlainType("sbyte", false),
        PrimitiveTypeCode.Char => new PlainType("char", false),
        PrimitiveTypeCode.Int16 => new PlainType("short", false),
        PrimitiveTypeCode.UInt16 => new PlainType("ushort", false),
        PrimitiveTypeCode.Int32 => new PlainType("int", false),
        PrimitiveTypeCode.UInt32 => new PlainType("uint", false),
        PrimitiveTypeCode.Int64 => new PlainType("long", false),
        PrimitiveTypeCode.UInt64 => new PlainType("ulong", false),
        PrimitiveTypeCode.Single => new PlainType("float", false),
        PrimitiveTypeCode.Double => new PlainType("double", false),
        PrimitiveTypeCode.IntPtr => new PlainType("nint", false),
        PrimitiveTypeCode.UIntPtr => new PlainType("nuint", false),
        PrimitiveTypeCode.Void => new PlainType("void", false),
        PrimitiveTypeCode.String => new PlainType("string", true),
        PrimitiveTypeCode.Object => new PlainType("object", true),
        _ => new PlainType(typeCode.ToString(), true),
    };

    public FieldType GetTypeFromDefinition(
        MetadataReader reader, TypeDefinitionHandle handle, byte rawTypeKind) =>
        new NamedType(assembly, handle, rawTypeKind == ValueType, []);

    public FieldType GetTypeFromReference(
        MetadataReader reader, TypeReferenceHandle handle, byte rawTypeKind) =>
        new NamedType(assembly, handle, rawTypeKind == ValueType, []);

    public FieldType GetTypeFromSpecification(
        MetadataReader reader,
        ImmutableArray<FieldType> genericContext,
        TypeSpecificationHandle handle,
        byte rawTypeKind) =>
        reader.GetTypeSpecification(handle).DecodeSignature(this, genericContext);

    public FieldType GetGenericInstantiation(
        FieldType genericType, ImmutableArray<FieldType> typeArguments) =>
        (NamedType)genericType with { Arguments = typeArguments };

    public FieldType GetGenericTypeParameter(ImmutableArray<FieldType> genericContext, int index) =>
        index < genericContext.Length ? genericContext[index] : new ParameterType($"!{index}", false);

    public FieldType GetGenericMethodParameter(ImmutableArray<FieldType> genericContext, int index) =>
        new ParameterType($"!!{index}", false);

    public FieldType GetSZArrayType(FieldType elementType) => new PlainType(elementType.Name + "[]", true);

    public FieldType GetArrayType(FieldType elementType, ArrayShape shape) =>
        new PlainType($"{elementType.Name}[{new string(',', shape.Rank - 1)}]", true);

    public FieldType GetPointerType(FieldType elementType) => new PlainType(elementType.Name + "*", false);

    public FieldType GetByReferenceType(FieldType elementType) =>
        new PlainType("ref " + elementType.Name, true);

    public FieldType GetFunctionPointerType(MethodSignature<FieldType> signature) =>
        new PlainType("delegate*", false);

    public FieldType GetModifiedType(FieldType modifier, FieldType unmodifiedType, bool isRequired) =>
        unmodifiedType;

    public FieldType GetPinnedType(FieldType elementType) => elementType;
}
