using System.Reflection.Metadata;

namespace Snapshot.FiberCheck;

/// <summary>
/// The assemblies that one was compiled against, each opened when something of it is first needed.
/// </summary>
internal sealed class ReferenceSet : IDisposable
{
    private readonly Dictionary<string, string> _paths = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, MetadataAssembly> _open = new(StringComparer.OrdinalIgnoreCase);

    internal ReferenceSet(IEnumerable<string> paths)
    {
        foreach (string path in paths) _paths.TryAdd(Path.GetFileNameWithoutExtension(path), path);
    }

    public void Dispose()
    {
        foreach (MetadataAssembly assembly in _open.Values) assembly.Dispose();
    }

    /// <summary>The definition of a type, wherever it is.</summary>
    /// <exception cref="CheckException">It is in none of the references.</exception>
    internal (MetadataAssembly Assembly, TypeDefinitionHandle Type) Define(NamedType type) =>
        type.Handle.Kind == HandleKind.TypeDefinition
            ? (type.Assembly, (TypeDefinitionHandle)type.Handle)
            : Define(type.Assembly, (TypeReferenceHandle)type.Handle)
                ?? throw new CheckException($"type {type.Name} is in none of the referenced assemblies");

    private (MetadataAssembly Assembly, TypeDefinitionHandle Type)? Define(
        MetadataAssembly from, TypeReferenceHandle handle)
    {
        MetadataReader reader = from.Reader;
        TypeReference reference = reader.GetTypeReference(handle);
        string name = reader.GetString(reference.Name);
        if (reference.ResolutionScope.Kind == HandleKind.TypeReference)
        {
            if (Define(from, (TypeReferenceHandle)reference.ResolutionScope) is not { } around) return null;
            MetadataReader there = around.Assembly.Reader;
            TypeDefinitionHandle nested = there.GetTypeDefinition(around.Type).GetNestedTypes()
                .FirstOrDefault(
                    type => there.StringComparer.Equals(there.GetTypeDefinition(type).Name, name));
            return nested.IsNil ? null : (around.Assembly, nested);
        }

        MetadataAssembly? home = reference.ResolutionScope.Kind == HandleKind.AssemblyReference
            ? Open(from, (AssemblyReferenceHandle)reference.ResolutionScope)
            : from;
        return home is null ? null : Find(home, reader.GetString(reference.Namespace), name);
    }

    /// <summary>A type that is not nested, by name; an assembly may have handed it on to another.</summary>
    private (MetadataAssembly Assembly, TypeDefinitionHandle Type)? Find(
        MetadataAssembly assembly, string space, string name)
    {
        MetadataReader reader = assembly.Reader;
        foreach (TypeDefinitionHandle handle in reader.TypeDefinitions)
        {
            TypeDefinition type = reader.GetTypeDefinition(handle);
            if (!reader.StringComparer.Equals(type.Name, name)) continue;
            if (reader.StringComparer.Equals(type.Namespace, space) && !type.IsNested)
                return (assembly, handle);
        }

        foreach (ExportedTypeHandle handle in reader.ExportedTypes)
        {
            ExportedType type = reader.GetExportedType(handle);
            if (!type.IsForwarder || !reader.StringComparer.Equals(type.Name, name)) continue;
            if (!reader.StringComparer.Equals(type.Namespace, space)) continue;
            MetadataAssembly? next = Open(assembly, (AssemblyReferenceHandle)type.Implementation);
            return next is null ? null : Find(next, space, name);
        }

        return null;
    }

    private MetadataAssembly? Open(MetadataAssembly from, AssemblyReferenceHandle handle)
    {
        string name = from.Reader.GetString(from.Reader.GetAssemblyReference(handle).Name);
        if (_open.TryGetValue(name, out MetadataAssembly? assembly)) return assembly;
        if (!_paths.TryGetValue(name, out string? path)) return null;
        return _open[name] = MetadataAssembly.Open(path, this);
    }
}
