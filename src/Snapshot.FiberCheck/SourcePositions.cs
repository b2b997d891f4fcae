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
    /// The statement of one of the offsets. Code of no statement, which a hidden point begins, prepares for
    /// one that follows; where only the end of a block follows, the next offset tells more. For the last one
    /// it counts only if it follows at once, else the code completes the statement before it.
    /// </summary>
    private static SequencePoint? Statement(SequencePoint[] points, IReadOnlyList<int> offsets)
    {
        if (points.Length == 0) return null;
        int at = 0;
        for (int i = 0; i < offsets.Count; i++)
        {
            at = Math.Max(0, Array.FindLastIndex(points, point => point.Offset <= offsets[i]));
            int next = Array.FindIndex(points, at, point => !point.IsHidden);
            bool isMeant =
                i < offsets.Count - 1 ? next >= 0 && !IsBrace(points[next]) : next >= 0 && next <= at + 1;
            if (isMeant) return points[next];
        }

        int before = Array.FindLastIndex(points, at, point => !point.IsHidden);
        int found = before >= 0 ? before : Array.FindIndex(points, point => !point.IsHidden);
        return found >= 0 ? points[found] : null;
    }

    private static bool IsBrace(SequencePoint point) =>
        point.StartLine == point.EndLine && point.EndColumn == point.StartColumn + 1;

    /// <summary>
    /// The real name of a file that the compiler gave another, so that an editor can open it.
    /// </summary>
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
