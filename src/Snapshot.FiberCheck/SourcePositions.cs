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
    /// The place of the statement of the first offset that is close to one; without offsets the
    /// method's first statement, without symbols the assembly.
    /// </summary>
    internal SourcePosition Of(MethodDefinitionHandle method, IReadOnlyList<int> offsets)
    {
        if (_symbols is null) return new SourcePosition(_assembly, 0, 0);
        MetadataReader reader = _symbols.GetMetadataReader();
        SequencePoint[] points = [.. reader.GetMethodDebugInformation(method).GetSequencePoints()];
        if (Statement(points, offsets) is not { } place) return new SourcePosition(_assembly, 0, 0);
        string file = reader.GetString(reader.GetDocument(place.Document).Name);
        return new SourcePosition(Unmap(file), place.StartLine, place.StartColumn);
    }

    /// <summary>
    /// Code of no statement, which a hidden point begins, either prepares for the statement that follows it at once, or
    /// completes the one before it.
    /// </summary>
    private static SequencePoint? Statement(SequencePoint[] points, IReadOnlyList<int> offsets)
    {
        if (points.Length == 0) return null;
        int at = 0;
        foreach (int offset in offsets)
        {
            at = Math.Max(0, Array.FindLastIndex(points, point => point.Offset <= offset));
            SequencePoint[] near = [.. points.Skip(at).Take(2).Where(point => !point.IsHidden)];
            if (near.Length > 0) return near[0];
        }

        int before = Array.FindLastIndex(points, at, point => !point.IsHidden);
        int found = before >= 0 ? before : Array.FindIndex(points, point => !point.IsHidden);
        return found >= 0 ? points[found] : null;
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
