namespace Snapshot.TestPrograms.Life;

/// <summary>
/// What of this process a closed session must have given back: descriptors, threads, memory.
/// </summary>
internal static class ProcessResources
{
    /// <summary>
    /// Descriptors of files below a folder, of user faults, events and direct memory: what sessions open.
    /// </summary>
    internal static string[] Descriptors(string folder) => [.. new DirectoryInfo("/proc/self/fd")
        .EnumerateFileSystemInfos()
        .Select(entry => entry.LinkTarget ?? "")
        .Where(target => target.StartsWith(folder, StringComparison.Ordinal)
            || target is "anon_inode:[userfaultfd]" or "anon_inode:[eventfd]" || target.StartsWith("/proc/"))
        .Where(target => !target.EndsWith("/fd", StringComparison.Ordinal))
        .Order(StringComparer.Ordinal)];

    /// <summary>
    /// Threads of sessions, by name. One that was joined may be listed a little longer: looks again while
    /// there are more than there were before.
    /// </summary>
    internal static string[] Threads(string[] before)
    {
        string[] found = [];
        for (int look = 0; look < 200; look++)
        {
            found = [.. Directory.EnumerateDirectories("/proc/self/task").Select(NameOf)
                .Where(name => name.StartsWith("snapshot", StringComparison.Ordinal)
                    || name.StartsWith("Snapshot", StringComparison.Ordinal))];
            if (found.Length <= before.Length) break;
            Thread.Sleep(1);
        }

        return found;
    }

    /// <summary>Resident memory in bytes.</summary>
    internal static long Resident() => long.Parse(
        File.ReadAllText("/proc/self/statm").Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture)
        * Environment.SystemPageSize;

    private static string NameOf(string task)
    {
        try
        {
            return File.ReadAllText(Path.Combine(task, "comm")).Trim();
        }
        catch (IOException)
        {
            return "";
        }
    }
}
