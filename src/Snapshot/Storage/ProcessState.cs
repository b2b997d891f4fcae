using System.Globalization;

namespace Snapshot.Storage;

/// <summary>What /proc says of a process (proc(5), stat and status).</summary>
/// <param name="Started">Clock ticks between the start of the machine and that of the process.</param>
/// <param name="IsDying">Whether it ends, or has to: it will not give back by itself what it holds, the
/// kernel will.</param>
internal readonly record struct ProcessState(long Started, bool IsDying)
{
    private const int StateField = 0;
    private const int FlagsField = 6;
    private const int StartField = 19;
    private const long Exiting = 0x4; // PF_EXITING
    private const ulong Kill = 1UL << 8; // SIGKILL is signal 9

    /// <summary>Which start of which machine this is; empty where it cannot be read.</summary>
    internal static string BootId => Read(() => File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim());

    /// <summary>In which numbers of processes mean the same; empty where it cannot be read.</summary>
    internal static string Namespace => Read(() => new FileInfo("/proc/self/ns/pid").LinkTarget ?? "");

    /// <summary>Null when there is no such process.</summary>
    internal static ProcessState? Of(int process)
    {
        try
        {
            // The name stands in parentheses and may hold anything, hence the last one.
            string stat = File.ReadAllText($"/proc/{process}/stat");
            string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            bool isDying = fields[StateField] is "Z" or "X"
                || (long.Parse(fields[FlagsField], CultureInfo.InvariantCulture) & Exiting) != 0
                || IsKilled(process);
            return new ProcessState(long.Parse(fields[StartField], CultureInfo.InvariantCulture), isDying);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null; // Also when it ends while it is looked at.
        }
    }

    /// <summary>It tells whom a lock belongs to: no reason to fail.</summary>
    private static string Read(Func<string> read)
    {
        try
        {
            return read();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    /// <summary>SIGKILL is pending for the process, or for its first thread.</summary>
    private static bool IsKilled(int process) => File.ReadLines($"/proc/{process}/status").Any(line =>
        (line.StartsWith("SigPnd:", StringComparison.Ordinal) ||
            line.StartsWith("ShdPnd:", StringComparison.Ordinal))
        &&
        (ulong.Parse(
            line.AsSpan(7).Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture) & Kill) != 0);
}
