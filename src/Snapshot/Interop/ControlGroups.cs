using System.Globalization;

namespace Snapshot.Interop;

/// <summary>
/// What the control groups of this process leave of their memory: its own and all above, version 1 and 2.
/// </summary>
/// <remarks>
/// A group's charge includes the page cache of files. What of that was not used of late is given back before
/// a limit hurts, so it counts as available, as it does in the kernel's own MemAvailable.
/// </remarks>
internal static class ControlGroups
{
    /// <summary>The names of one version's files.</summary>
    private sealed record Names(string[] Limits, string Used, string Idle);

    private static readonly Names s_second = new(
        ["memory.max", "memory.high"], "memory.current", "inactive_file ");
    private static readonly Names s_first =
        new(["memory.limit_in_bytes"], "memory.usage_in_bytes", "total_inactive_file ");

    /// <param name="root">Where <c>proc</c> and <c>sys</c> are; "/" but in tests.</param>
    internal static IEnumerable<AvailableMemory> Of(string root)
    {
        string mounts = AvailableMemory.Read(root, "proc/self/mountinfo");

        // Lines of "NUMBER:CONTROLLERS:PATH"; version 2 has no controllers.
        foreach (string line in AvailableMemory.Read(root, "proc/self/cgroup").Split('\n'))
        {
            string[] fields = line.Split(':', 3);
            if (fields.Length < 3) continue;
            bool isSecond = fields[1].Length == 0;
            if (!isSecond && !fields[1].Split(',').Contains("memory")) continue;
            foreach (AvailableMemory limit in Above(root, mounts, fields[2], isSecond)) yield return limit;
        }
    }

    /// <summary>From the group itself up to what is mounted: a limit of any of them holds.</summary>
    private static IEnumerable<AvailableMemory> Above(string root, string mounts, string group, bool isSecond)
    {
        if (FindMount(mounts, isSecond) is not { } mount) yield break;
        string inside = Inside(mount.Root, group);
        while (true)
        {
            string folder = mount.Point.TrimStart('/') + inside;
            foreach (AvailableMemory limit in In(root, folder, isSecond ? s_second : s_first))
                yield return limit;
            if (inside.Length == 0) yield break;
            inside = inside[..inside.LastIndexOf('/')];
        }
    }

    private static IEnumerable<AvailableMemory> In(string root, string folder, Names names)
    {
        if (Number(AvailableMemory.Read(root, $"{folder}/{names.Used}")) is not { } used) yield break;
        string? idle = AvailableMemory.Read(root, $"{folder}/memory.stat").Split('\n')
            .FirstOrDefault(line => line.StartsWith(names.Idle, StringComparison.Ordinal));
        used -= Math.Min(used, Number(idle?[names.Idle.Length..] ?? "") ?? 0);
        foreach (string name in names.Limits)
        {
            if (AvailableMemory.Left(
                Number(AvailableMemory.Read(root, $"{folder}/{name}")), used) is { } left)
                yield return new(left, $"{name} of the control group /{folder}");
        }
    }

    /// <summary>
    /// The part of a group's path below what is mounted. A container sees its own group as the top, whatever
    /// it is called outside.
    /// </summary>
    private static string Inside(string mounted, string group)
    {
        string top = mounted.TrimEnd('/');
        bool isBelow = group == top || group.StartsWith(top + "/", StringComparison.Ordinal);
        return isBelow && !group.Contains("/..", StringComparison.Ordinal)
            ? group[top.Length..].TrimEnd('/') : "";
    }

    /// <summary>Lines of "ID PARENT DEVICE ROOT POINT OPTIONS ... - TYPE SOURCE OPTIONS".</summary>
    private static (string Root, string Point)? FindMount(string mounts, bool isSecond)
    {
        foreach (string line in mounts.Split('\n'))
        {
            string[] halves = line.Split(" - ", 2);
            string[] place = halves[0].Split(' ');
            string[] type = halves.Length < 2 ? [] : halves[1].Split(' ');
            if (place.Length < 5 || type.Length < 3) continue;
            bool isIt = isSecond
                ? type[0] == "cgroup2"
                : type[0] == "cgroup" && type[2].Split(',').Contains("memory");
            if (isIt) return (place[3], place[4]);
        }

        return null;
    }

    /// <summary>
    /// Null for "max" and for what is no number; a limit of version 1 that is none is larger than any memory.
    /// </summary>
    private static long? Number(string text) =>
        long.TryParse(text.AsSpan().Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out long number)
            ? number
            : null;
}
