using Snapshot.Base;

namespace Snapshot.Memory;

/// <summary>
/// Where this process has arenas, so that the next one is placed without reading the map of the process.
/// </summary>
/// <remarks>
/// The map has a line or more for each arena, so reading it for each place that is taken makes opening many
/// arenas cubic. What others have mapped is not in here: the kernel refuses such a place, and only then the
/// map is read. Thread-safe.
/// </remarks>
internal static class TakenPlaces
{
    private static readonly Lock s_gate = new();
    private static readonly SortedList<ulong, ulong> s_ends = [];
    private static readonly HashSet<ulong> s_left = [];

    internal static void Add(ulong start, ulong end)
    {
        lock (s_gate) s_ends[start] = end;
    }

    internal static void Remove(ulong start)
    {
        lock (s_gate)
        {
            s_ends.Remove(start);
            s_left.Remove(start);
        }
    }

    /// <summary>The arena there is closed, but could not be unmapped.</summary>
    internal static void Leave(ulong start)
    {
        lock (s_gate) s_left.Add(start);
    }

    /// <summary>A place within a range that a closed arena had to leave mapped, or null.</summary>
    internal static (ulong Start, ulong End)? LeftIn(ulong start, ulong end)
    {
        lock (s_gate)
        {
            foreach (ulong left in s_left)
            {
                if (left < end && s_ends[left] > start) return (left, s_ends[left]);
            }
        }

        return null;
    }

    /// <summary>
    /// The lowest place from <paramref name="from"/> on at which <paramref name="bytes"/> and a gap on either
    /// side are clear of what is in here.
    /// </summary>
    internal static ulong FirstFree(ulong from, ulong bytes, ulong gap)
    {
        lock (s_gate)
        {
            ulong place = from;
            foreach ((ulong start, ulong end) in s_ends)
            {
                if (end <= place - gap) continue;
                if (start >= place + bytes + gap) break;
                place = Above(end, gap);
            }

            return place;
        }
    }

    /// <summary>
    /// The most bytes that are clear of what is in here in one piece of a range, with a gap above and
    /// between.
    /// </summary>
    internal static long MostFree(ulong from, ulong end, ulong gap)
    {
        lock (s_gate)
        {
            long most = 0;
            ulong place = from;
            foreach ((ulong start, ulong startEnd) in s_ends)
            {
                if (startEnd <= place - gap) continue;
                if (start >= end) break;
                most = Math.Max(most, (long)start - (long)(place + gap));
                place = Above(startEnd, gap);
            }

            return Math.Max(most, (long)end - (long)(place + gap));
        }
    }

    /// <summary>The first place above what ends there.</summary>
    internal static ulong Above(ulong end, ulong gap) =>
        (end + gap + Pages.HugeSize - 1) & ~(ulong)(Pages.HugeSize - 1);
}
