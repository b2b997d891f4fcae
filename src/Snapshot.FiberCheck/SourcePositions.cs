using System.Reflection.Metadata;

namespace Snapshot.FiberCheck;

/// <summary>Where in the sources the code of an assembly comes from, as its portable symbols tell.</summary>
internal sealed class SourcePositions : IDisposable
{
    private readonly string _assembly;
    private readonly IReadOnlyList<(string From, string To)> _pathMap;
    private readonly MetadataReaderProvider? _symbols;

    internal SourcePositions(MetadataAssembly assembly, IReadOnlyList<(string From, string To)> pathMap)
    {
        _assembly = assembly.Path;
        _pathMap = pathMap;
        assembly.File.TryOpenAssociatedPortablePdb(assembly.Path, OpenIfThere, out _symbols, out _);
    }

    public void Dispose() => _symbols?.Dispose();

    /// <summary>
    /// The place of the statement to which the code at an offset belongs; without an offset the method's first
    /// statement, without symbols the assembly.
    /// </summary>
    internal SourcePosition Of(MethodDefinitionHandle method, int? offset)
    {
        if (_symbols is null) return new SourcePosition(_assembly, 0, 0);
        MetadataReader reader = _symbols.GetMetadataReader();
        SequencePoint? found = null;
        bool isFinal = false;
        foreach (SequencePoint point in reader.GetMethodDebugInformation(method).GetSequencePoints())
        {
            if (isFinal && point.Offset > (offset ?? 0)) break;
            // Code of no statement, as a hidden point says, prepares for what follows it.
            isFinal = !point.IsHidden;
            if (isFinal) found = point;
        }

        if (found is not { } place) return new SourcePosition(_assembly, 0, 0);
        string file = reader.GetString(reader.GetDocument(place.Document).Name);
        return new SourcePosition(Unmap(file), place.StartLine, place.StartColumn);
    }

    /// <summary>The real name of a file that the compiler gave another, so that an editor can open it.</summary>
    private string Unmap(string file)
    {
        foreach ((string from, string to) in _pathMap)
        {
            if (file.StartsWith(to, StringComparison.Ordinal)) return from + file[to.Length..];
        }

        return file;
    }

    private static FileStream? OpenIfThere(string path) => File.Exists(path) ? File.OpenRead(path) : null;
}
