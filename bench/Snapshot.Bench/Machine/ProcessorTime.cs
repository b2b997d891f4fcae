using System.Globalization;
using System.Runtime.InteropServices;

namespace Snapshot.Bench;

/// <summary>
/// Time that processors spent, in milliseconds: in the program, and in the kernel on its behalf.
/// </summary>
internal readonly partial record struct ProcessorTime(double UserMs, double SystemMs)
{
    private const int Thread = 1, Children = -1;

    internal double TotalMs => UserMs + SystemMs;

    public static ProcessorTime operator -(ProcessorTime left, ProcessorTime right) =>
        new(left.UserMs - right.UserMs, left.SystemMs - right.SystemMs);

    public static ProcessorTime operator +(ProcessorTime left, ProcessorTime right) =>
        new(left.UserMs + right.UserMs, left.SystemMs + right.SystemMs);

    internal static ProcessorTime OfProcess()
    {
        Environment.ProcessCpuUsage usage = Environment.CpuUsage;
        return new ProcessorTime(usage.UserTime.TotalMilliseconds, usage.PrivilegedTime.TotalMilliseconds);
    }

    internal static ProcessorTime OfCurrentThread() => Of(Thread);

    /// <summary>Of child processes that have ended and were waited for.</summary>
    internal static ProcessorTime OfChildren() => Of(Children);

    /// <summary>
    /// Of the threads of this process that have a name now, cut to 15 bytes as the system does, in ticks of
    /// 10 ms.
    /// </summary>
    internal static ProcessorTime OfThreads(string name)
    {
        const double TickMs = 10;
        const int UserField = 11;
        double user = 0, system = 0;
        foreach (string folder in Directory.EnumerateDirectories("/proc/self/task"))
        {
            // "71 (a name) S 1 …": what follows the name is told apart by blanks.
            if (TextOf(Path.Combine(folder, "stat")) is not { } stat
                || !stat.Contains($"({name})", StringComparison.Ordinal))
            {
                continue;
            }

            string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            user += long.Parse(fields[UserField], CultureInfo.InvariantCulture) * TickMs;
            system += long.Parse(fields[UserField + 1], CultureInfo.InvariantCulture) * TickMs;
        }

        return new ProcessorTime(user, system);
    }

    /// <summary>Null where the thread has ended meanwhile.</summary>
    private static string? TextOf(string file)
    {
        try
        {
            return File.ReadAllText(file);
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static ProcessorTime Of(int who)
    {
        if (getrusage(who, out Usage usage) != 0) throw new IOException($"getrusage of {who} failed");
        return new ProcessorTime(
            (usage.UserSeconds * 1e3) + (usage.UserMicroseconds / 1e3),
            (usage.SystemSeconds * 1e3) + (usage.SystemMicroseconds / 1e3));
    }

    [LibraryImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int getrusage(int who, out Usage usage);

    /// <summary>struct rusage: two times, then fourteen numbers that are not read.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 144)]
    private struct Usage
    {
        internal long UserSeconds;
        internal long UserMicroseconds;
        internal long SystemSeconds;
        internal long SystemMicroseconds;
    }
}
