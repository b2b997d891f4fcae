using System.Globalization;

namespace Snapshot.Tests.Interop;

/// <summary>The nice value of one thread, as the kernel tells it.</summary>
internal static class ThreadNice
{
    /// <summary>Of the calling thread.</summary>
    internal static int Here => In("/proc/thread-self/stat");

    /// <summary>Of the thread that the process began with: what new threads have.</summary>
    internal static int OfProcess => In($"/proc/self/task/{Environment.ProcessId}/stat");

    /// <summary>The 19th field; the second is a name in parentheses, which may have spaces.</summary>
    private static int In(string file)
    {
        string stat = File.ReadAllText(file);
        string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return int.Parse(fields[19 - 3], CultureInfo.InvariantCulture);
    }
}
