using System.Globalization;

namespace Snapshot.Bench;

/// <summary>What a scenario needs and does not find; the message says what to change.</summary>
internal sealed class RequirementException(string message) : Exception(message);

/// <summary>Checks what a scenario needs before it begins, rather than to fail in the middle.</summary>
internal static class Requirements
{
    /// <exception cref="RequirementException">Less is available.</exception>
    internal static void Memory(long bytes, string whatFor)
    {
        long available = MachineDescription.MemoryAvailable();
        if (bytes <= available) return;
        throw new RequirementException(
            $"This takes {Gibibytes(bytes)} of memory ({whatFor}), and {Gibibytes(available)} are available: choose a " +
            "smaller --arena.");
    }

    /// <exception cref="RequirementException">Less is free, or the directory is not there.</exception>
    internal static void Disk(string directory, long bytes, string whatFor)
    {
        if (!Directory.Exists(directory))
            throw new RequirementException($"The directory '{directory}' does not exist: make it, or change --store.");
        long free = new DriveInfo(directory).AvailableFreeSpace;
        if (bytes <= free) return;
        throw new RequirementException(
            $"This takes {Gibibytes(bytes)} in '{directory}' ({whatFor}), and {Gibibytes(free)} are free: choose a " +
            "smaller --arena, or another --store.");
    }

    /// <exception cref="RequirementException">It is not on the PATH.</exception>
    internal static void Program(string name)
    {
        string[] folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator);
        if (folders.Any(folder => folder.Length > 0 && File.Exists(Path.Combine(folder, name)))) return;
        throw new RequirementException($"'{name}' is not on the PATH; it is the baseline of the disk. Install coreutils.");
    }

    private static string Gibibytes(long bytes) =>
        $"{(bytes / (double)(1L << 30)).ToString("F1", CultureInfo.InvariantCulture)} GiB";
}
