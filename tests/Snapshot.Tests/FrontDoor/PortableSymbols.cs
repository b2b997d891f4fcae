using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Text;

namespace Snapshot.Tests.FrontDoor;

/// <summary>What a debugger finds in the symbols of an assembly.</summary>
/// <param name="Id">By which they are found.</param>
/// <param name="Sources">The names of the sources, and whether their text is there.</param>
/// <param name="SourceLink">Where else the sources are, if that is said.</param>
internal sealed record PortableSymbols(Guid Id, IReadOnlyDictionary<string, bool> Sources, string? SourceLink)
{
    private static readonly Guid s_embeddedSource = new("0E8A571B-6926-466E-B4AD-8AB04611F5FE");
    private static readonly Guid s_sourceLinkKind = new("CC110556-A091-4D38-9FEC-25AB9A351A6A");

    internal static PortableSymbols Read(Stream file)
    {
        using MetadataReaderProvider provider = MetadataReaderProvider.FromPortablePdbStream(file);
        return Read(provider.GetMetadataReader());
    }

    /// <summary>Those that are in an assembly itself; null when it has none.</summary>
    internal static PortableSymbols? ReadEmbedded(PEReader assembly)
    {
        DebugDirectoryEntry entry = assembly.ReadDebugDirectory()
            .FirstOrDefault(entry => entry.Type == DebugDirectoryEntryType.EmbeddedPortablePdb);
        if (entry.Type != DebugDirectoryEntryType.EmbeddedPortablePdb) return null;
        using MetadataReaderProvider provider = assembly.ReadEmbeddedPortablePdbDebugDirectoryData(entry);
        return Read(provider.GetMetadataReader());
    }

    /// <summary>The id of the symbols that an assembly asks for.</summary>
    internal static Guid IdOf(PEReader assembly) => assembly
        .ReadCodeViewDebugDirectoryData(assembly.ReadDebugDirectory()
            .First(entry => entry.Type == DebugDirectoryEntryType.CodeView)).Guid;

    private static PortableSymbols Read(MetadataReader reader)
    {
        Dictionary<string, bool> sources = [];
        foreach (DocumentHandle handle in reader.Documents)
        {
            sources.Add(
                reader.GetString(reader.GetDocument(handle).Name),
                InformationOf(reader, handle, s_embeddedSource) is not null);
        }

        byte[]? link = InformationOf(reader, EntityHandle.ModuleDefinition, s_sourceLinkKind);
        return new PortableSymbols(
            new BlobContentId(reader.DebugMetadataHeader!.Id).Guid, sources,
            link is null ? null : Encoding.UTF8.GetString(link));
    }

    private static byte[]? InformationOf(MetadataReader reader, EntityHandle parent, Guid kind) =>
        reader.GetCustomDebugInformation(parent).Select(reader.GetCustomDebugInformation)
            .Where(information => reader.GetGuid(information.Kind) == kind)
            .Select(information => reader.GetBlobBytes(information.Value)).FirstOrDefault();
}
