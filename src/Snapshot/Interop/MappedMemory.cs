using System.Globalization;

namespace Snapshot.Interop;

/// <summary>
/// What is in memory of a range, as /proc/self/smaps says: for kernels without a scan. In bytes.
/// </summary>
/// <remarks>
/// Reading it looks through the page tables of the whole process, so it is for decisions, not for pauses.
/// </remarks>
internal readonly record struct MappedMemory(long Resident, long Huge)
{
    private const string File = "/proc/self/smaps";

    /// <summary>
    /// The part that is in huge pages, 0 to 1; of memory that has none yet, what it will get.
    /// </summary>
    internal double HugePart => Resident == 0 ? 1 : (double)Huge / Resident;

    /// <summary>
    /// What is there of the mappings that begin in a range; nothing where the file cannot be read.
    /// </summary>
    internal static MappedMemory Of(ulong start, ulong end)
    {
        MappedMemory sum = default;
        bool isInside = false;
        foreach (string line in (SystemFile.Text(File) ?? "").Split('\n'))
        {
            if (IsHeading(line, out ulong from)) isInside = from >= start && from < end;
            else if (isInside) sum = sum.With(line);
        }

        return sum;
    }

    /// <summary>
    /// "200000000000-200040000000 rw-p 00000000 00:00 0 [anon:name]": begins with a small digit.
    /// </summary>
    private static bool IsHeading(string line, out ulong from)
    {
        from = 0;
        int dash = line.IndexOf('-', StringComparison.Ordinal);
        return dash > 0 && ulong.TryParse(
            line.AsSpan(0, dash), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out from);
    }

    private MappedMemory With(string line)
    {
        if (SystemFile.Kilobytes(line, "Rss:") is { } resident)
            return this with { Resident = Resident + resident };
        return SystemFile.Kilobytes(line, "AnonHugePages:") is { } huge
            ? this with { Huge = Huge + huge } : this;
    }
}
