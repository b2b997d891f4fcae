using System.Collections.Immutable;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace Snapshot.Tests.Structure;

/// <summary>A member of a type of another assembly, as compiled code refers to it.</summary>
/// <param name="Type">The type with its namespace; a nested one after a plus sign.</param>
/// <param name="Name">The name; an accessor's is that of its method.</param>
/// <param name="Parameters">How many it has; 0 for a field.</param>
internal sealed record MemberUse(string Type, string Name, int Parameters);

/// <summary>What compiled code uses of other assemblies.</summary>
internal static class MemberUses
{
    /// <summary>
    /// The members it refers to, and each type that it names, as one without a member's name.
    /// </summary>
    internal static IEnumerable<MemberUse> In(ImmutableArray<byte> image)
    {
        using PEReader file = new(image);
        MetadataReader metadata = file.GetMetadataReader();
        foreach (TypeReferenceHandle type in metadata.TypeReferences)
            yield return new MemberUse(NameOf(metadata, type), "", 0);
        foreach (MemberReferenceHandle handle in metadata.MemberReferences)
        {
            MemberReference member = metadata.GetMemberReference(handle);
            if (TypeOf(metadata, member.Parent) is { } type)
                yield return new MemberUse(
                    type, metadata.GetString(member.Name), ParametersOf(metadata, member));
        }
    }

    private static int ParametersOf(MetadataReader metadata, MemberReference member)
    {
        BlobReader signature = metadata.GetBlobReader(member.Signature);
        SignatureHeader header = signature.ReadSignatureHeader();
        if (header.Kind != SignatureKind.Method) return 0;
        if (header.IsGeneric) signature.ReadCompressedInteger();
        return signature.ReadCompressedInteger();
    }

    /// <summary>The type of another assembly, or null for what is of this one, or of none.</summary>
    private static string? TypeOf(MetadataReader metadata, EntityHandle parent)
    {
        if (parent.Kind == HandleKind.TypeSpecification)
        {
            TypeSpecification generic = metadata.GetTypeSpecification((TypeSpecificationHandle)parent);
            BlobReader signature = metadata.GetBlobReader(generic.Signature);
            if (signature.ReadSignatureTypeCode() != SignatureTypeCode.GenericTypeInstance) return null;

            // Whether it is a class or a structure, then which.
            signature.ReadCompressedInteger();
            parent = signature.ReadTypeHandle();
        }

        return parent.Kind == HandleKind.TypeReference ? NameOf(metadata, (TypeReferenceHandle)parent) : null;
    }

    private static string NameOf(MetadataReader metadata, TypeReferenceHandle handle)
    {
        TypeReference type = metadata.GetTypeReference(handle);
        string name = metadata.GetString(type.Name);
        if (type.ResolutionScope.Kind == HandleKind.TypeReference)
            return $"{NameOf(metadata, (TypeReferenceHandle)type.ResolutionScope)}+{name}";
        return type.Namespace.IsNil ? name : $"{metadata.GetString(type.Namespace)}.{name}";
    }
}
