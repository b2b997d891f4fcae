using System.Globalization;

namespace Snapshot.Memory;

/// <summary>One line of /proc/self/maps: what the process has mapped at an address.</summary>
internal readonly record struct ProcessMapping(ulong Start, ulong End, string Line);

/// <summary>Reads the memory map of this process.</summary>
internal static class ProcessMap
{
    private static long s_reads;

    /// <summary>How often the map was read: each time costs more the more there is.</summary>
    internal static long Reads => Interlocked.Read(ref s_reads);

    /// <summary>All, lowest first.</summary>
    internal static IEnumerable<ProcessMapping> All()
    {
        Interlocked.Increment(ref s_reads);
        return File.ReadLines("/proc/self/maps").Select(Parse);
    }

    /// <summary>The lowest mapping that overlaps [start, end), or null.</summary>
    internal static ProcessMapping? FirstIn(ulong start, ulong end)
    {
        foreach (ProcessMapping mapping in All())
        {
            if (mapping.End > start && mapping.Start < end) return mapping;
        }

        return null;
    }

    // 7f0c1a000000-7f0c1a021000 rw-p 00000000 00:00 0     [anon:name]
    private static ProcessMapping Parse(string line)
    {
        int dash = line.IndexOf('-', StringComparison.Ordinal);
        int blank = line.IndexOf(' ', StringComparison.Ordinal);
        return new ProcessMapping(
            ulong.Parse(line.AsSpan(0, dash), NumberStyles.HexNumber, CultureInfo.InvariantCulture),
            ulong.Parse(line.AsSpan(
                dash + 1, blank - dash - 1), NumberStyles.HexNumber, CultureInfo.InvariantCulture),
            line);
    }
}
