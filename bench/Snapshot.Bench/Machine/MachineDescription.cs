using System.Globalization;
using System.Runtime.InteropServices;

namespace Snapshot.Bench;

/// <summary>The machine as a reader of figures needs it: no names of hosts or places.</summary>
internal static class MachineDescription
{
    /// <summary>Property and value, for a directory whose file system is measured.</summary>
    internal static IReadOnlyList<(string Name, string Value)> Of(string directory) =>
    [
        ("processor", $"{ProcessorModel()}, {Environment.ProcessorCount} cores"),
        ("memory",
            $"{(MemoryInfo("MemTotal") / (double)(1L << 30)).ToString("F0", CultureInfo.InvariantCulture)} " +
            "GiB"),
        ("huge pages", ChosenOf("/sys/kernel/mm/transparent_hugepage/enabled")),
        ("kernel", $"Linux {KernelVersion()}"),
        ("file system", FileSystemOf(directory, File.ReadLines("/proc/self/mountinfo"))),
        ("runtime", $".NET {Environment.Version}"),
        ("load average at the beginning", File.ReadAllText("/proc/loadavg").Split(' ')[0]),
        ("privileges", Environment.IsPrivilegedProcess ? "root" : "an ordinary user"),
    ];

    /// <summary>Bytes that can be had without swapping.</summary>
    internal static long MemoryAvailable() => MemoryInfo("MemAvailable");

    /// <summary>
    /// The type of the file system a directory is on: that of the longest mount point above it.
    /// </summary>
    internal static string FileSystemOf(string directory, IEnumerable<string> mountInfo)
    {
        string best = "", type = "unknown";
        foreach (string line in mountInfo)
        {
            string[] parts = line.Split(" - ", 2);
            string point = parts[0].Split(' ')[4].Replace("\\040", " ", StringComparison.Ordinal);
            bool isAbove = point == "/" || directory == point
                || directory.StartsWith(point + "/", StringComparison.Ordinal);

            // Of several on one point, the last is on top.
            if (!isAbove || point.Length < best.Length) continue;
            best = point;
            type = parts[1].Split(' ')[0];
        }

        return type;
    }

    /// <summary>Which of the words stands in brackets.</summary>
    private static string ChosenOf(string file)
    {
        if (!File.Exists(file)) return "none";
        string text = File.ReadAllText(file);
        int from = text.IndexOf('[', StringComparison.Ordinal), to =
            text.IndexOf(']', StringComparison.Ordinal);
        return from < 0 || to < from ? text.Trim() : text[(from + 1)..to];
    }

    private static string ProcessorModel() => File.ReadLines("/proc/cpuinfo")
        .FirstOrDefault(
            line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':', 2)[1].Trim()
        ?? RuntimeInformation.ProcessArchitecture.ToString();

    /// <summary>Only the number: what follows it names who built it.</summary>
    private static string KernelVersion()
    {
        string release = File.ReadAllText("/proc/sys/kernel/osrelease").Trim();
        return string.Join('.', release.Split('-', '+')[0].Split('.').Take(3));
    }

    private static long MemoryInfo(string field)
    {
        string line =
            File.ReadLines("/proc/meminfo").First(line => line.StartsWith(field, StringComparison.Ordinal));
        string kibibytes = line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1];
        return long.Parse(kibibytes, CultureInfo.InvariantCulture) << 10;
    }
}
