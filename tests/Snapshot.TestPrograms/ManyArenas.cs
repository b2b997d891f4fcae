using System.Diagnostics;
using System.Globalization;
using Snapshot.Memory;

namespace Snapshot.TestPrograms;

/// <summary>
/// Opens many arenas, and one more; says how often the process's map was read, and how long it took.
/// </summary>
internal static class ManyArenas
{
    internal static int Run(string store, int count)
    {
        using SnapshotSession session = SnapshotSession.Open(store);
        ArenaOptions options = new() { Capacity = 64L << 20 };
        long reads = ProcessMap.Reads;
        long started = Stopwatch.GetTimestamp();
        for (int index = 0; index < count; index++) session.OpenArena($"arena {index}", options);
        double milliseconds = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
        Console.Write($"opened {session.Arenas.Count}\nmap read {ProcessMap.Reads - reads}\n");
        session.Arenas[^1].RootArray<int>("root", 1)[0] = 1;
        Console.Write($"committed {session.RequestCheckpoint().WaitCommittedInThread().Generation}\n");
        try
        {
            session.OpenArena("one more", options);
            Console.Write("one more\n");
        }
        catch (SnapshotException error)
        {
            Console.Write($"failed {error.Code} {error.Message}\n");
        }

        Console.Write(string.Create(CultureInfo.InvariantCulture, $"{milliseconds:F0} ms\n"));
        return 0;
    }
}
