using System.Globalization;

namespace Snapshot.Bench;

/// <summary>What a scenario needs and does not find.</summary>
/// <param name="reason">What is missing; no paths, since it may be published.</param>
/// <param name="advice">What to change, after a colon.</param>
internal sealed class RequirementException(string reason, string advice) : Exception($"{reason}: {advice}")
{
    internal string Reason => $"{reason}.";
}

/// <summary>Checks what a scenario needs before it begins, rather than to fail in the middle.</summary>
internal static class Requirements
{
    /// <exception cref="RequirementException">Less is available.</exception>
    internal static void Memory(long bytes, string whatFor)
    {
        long available = MachineDescription.MemoryAvailable();
        if (bytes <= available) return;
        throw new RequirementException(
            $"This takes {Rounded(bytes)} of memory ({whatFor}), and {Rounded(available)} are available",
            "choose a smaller --arena.");
    }

    /// <exception cref="RequirementException">Less is free, or the directory is not there.</exception>
    internal static void Disk(string directory, long bytes, string whatFor)
    {
        if (!Directory.Exists(directory))
        {
            throw new RequirementException(
                "The directory to measure does not exist", $"make '{directory}', or change --store.");
        }

        long free = new DriveInfo(directory).AvailableFreeSpace;
        if (bytes <= free) return;
        throw new RequirementException(
            $"This takes {Rounded(bytes)} on the disk ({whatFor}), and {Rounded(free)} are free",
            $"choose a smaller --arena, or another --store than '{directory}'.");
    }

    /// <exception cref="RequirementException">It is not on the PATH.</exception>
    internal static void Program(string name)
    {
        string[] folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator);
        if (folders.Any(folder => folder.Length > 0 && File.Exists(Path.Combine(folder, name)))) return;
        throw new RequirementException(
            $"'{name}', the baseline of the disk, is not on the PATH", "install coreutils.");
    }

    private static string Rounded(long bytes) => bytes >= 1L << 30
        ? $"{(bytes / (double)(1L << 30)).ToString("F1", CultureInfo.InvariantCulture)} GiB"
        : $"{bytes >> 20} MiB";
}
