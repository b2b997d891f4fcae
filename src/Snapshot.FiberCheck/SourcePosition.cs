using System.Globalization;

namespace Snapshot.FiberCheck;

/// <summary>A place in a file; line 0 is the file as a whole.</summary>
internal readonly record struct SourcePosition(string File, int Line, int Column)
{
    public override string ToString() =>
        Line > 0 ? string.Create(CultureInfo.InvariantCulture, $"{File}({Line},{Column})") : File;
}
