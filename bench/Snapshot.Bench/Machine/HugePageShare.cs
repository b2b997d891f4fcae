using System.Globalization;

namespace Snapshot.Bench;

/// <summary>How much of a range of memory is still in huge pages.</summary>
internal static class HugePageShare
{
    /// <summary>Percent of the resident memory of all mappings that begin in the range.</summary>
    internal static unsafe double Percent(void* from, long bytes) =>
        Percent(File.ReadLines("/proc/self/smaps"), (ulong)from, (ulong)from + (ulong)bytes);

    /// <summary>The same of the text of an smaps file; NaN where nothing is resident.</summary>
    internal static double Percent(IEnumerable<string> smaps, ulong from, ulong to)
    {
        bool isInside = false;
        long resident = 0, huge = 0;
        foreach (string line in smaps)
        {
            string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (!words[0].EndsWith(':'))
                isInside = StartOf(words[0]) is { } start && start >= from && start < to;
            else if (!isInside) continue;
            else if (words[0] == "Rss:") resident += Number(words[1]);
            else if (words[0] == "AnonHugePages:") huge += Number(words[1]);
        }

        return resident > 0 ? 100.0 * huge / resident : double.NaN;
    }

    /// <summary>The first address of a line that begins a mapping.</summary>
    private static ulong? StartOf(string range)
    {
        bool isAddress = ulong.TryParse(
            range.Split('-')[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture, out ulong start);
        return isAddress ? start : null;
    }

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);
}
