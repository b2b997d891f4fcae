using System.Globalization;

namespace Snapshot.Tests.Interop;

/// <summary>The nice value of one thread, as the kernel tells it.</summary>
internal static class ThreadNice
{
    /// <summary>Of the calling thread.</summary>
    /// <remarks>The 19th field; the second is a name in parentheses, which may have spaces.</remarks>
    internal static int Here()
    {
        string stat = File.ReadAllText("/proc/thread-self/stat");
        string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return int.Parse(fields[19 - 3], CultureInfo.InvariantCulture);
    }
}
