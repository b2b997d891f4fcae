using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;
using Microsoft.Diagnostics.Runtime;

namespace Snapshot.Tool.Stacks;

/// <summary>
/// Finds file and line of an instruction in the portable symbols beside or inside an assembly.
/// </summary>
internal sealed class SourceLines : IDisposable
{
    private readonly Dictionary<string, MetadataReaderProvider?> _symbols = [];

    /// <returns>Null when there are no symbols for the method.</returns>
    internal (string File, int Line)? Find(ClrMethod method, ulong instruction, bool isInnermost)
    {
        if (method.Type?.Module?.Name is not { } assembly || Open(assembly) is not { } symbols) return null;

        // A return address lies behind the call; the byte before it belongs to the statement that calls.
        int ilOffset = method.GetILOffset(isInnermost ? instruction : instruction - 1);
        if (ilOffset < 0) return null;
        MetadataReader reader = symbols.GetMetadataReader();

        // Stubs that the runtime makes have the token of no row.
        int row = method.MetadataToken & 0xFF_FFFF;
        if (row < 1 || row > reader.MethodDebugInformation.Count) return null;
        MethodDefinitionHandle handle = MetadataTokens.MethodDefinitionHandle(row);
        SequencePoint? found = null;
        foreach (SequencePoint point in reader.GetMethodDebugInformation(handle).GetSequencePoints())
        {
            if (point.Offset > ilOffset) break;
            if (!point.IsHidden) found = point;
        }

        return found is { } at
            ? (reader.GetString(reader.GetDocument(at.Document).Name), at.StartLine) : null;
    }

    public void Dispose()
    {
        foreach (MetadataReaderProvider? provider in _symbols.Values) provider?.Dispose();
    }

    private MetadataReaderProvider? Open(string assembly)
    {
        if (!_symbols.TryGetValue(assembly, out MetadataReaderProvider? symbols))
            _symbols[assembly] = symbols = OpenSymbols(assembly);
        return symbols;
    }

    /// <summary>
    /// Symbols that do not match the assembly are not used; the stack is then shown without lines.
    /// </summary>
    private static MetadataReaderProvider? OpenSymbols(string assembly)
    {
        if (!File.Exists(assembly)) return null;
        using PEReader image = new(File.OpenRead(assembly));
        if (!image.HasMetadata) return null;
        bool found = image.TryOpenAssociatedPortablePdb(
            assembly, path => File.Exists(path) ? File.OpenRead(path) : null,
            out MetadataReaderProvider? symbols,
            out _);
        return found ? symbols : null;
    }
}
