using System.Globalization;

namespace Snapshot.TestPrograms;

/// <summary>
/// Writes a store under <c>ulimit -f</c>: what fits is committed, what does not is an error. In the end it
/// writes a file of its own beyond the limit: what that does to it is the program's affair, as without the
/// library.
/// </summary>
internal static class FileLimit
{
    private const int CellsOfLarge = 2 << 20;
    private const int FileSizeSignal = 25; // SIGXFSZ

    internal static int Run(string store)
    {
        string before = Dispositions();
        using (SnapshotSession session = SnapshotSession.Open(store))
        {
            Arena arena = session.OpenArena("a", new ArenaOptions { Capacity = 64L << 20 });
            ArenaArray<long> small = arena.RootArray<long>("small", 4096);
            small[0]++;
            Tell(session);

            // Noise, 16 MiB of it: no encoding makes it fit.
            ArenaArray<long> large = arena.RootArray<long>("large", CellsOfLarge);
            Random random = new(1);
            for (long cell = 0; cell < large.Length; cell++) large[cell] = random.NextInt64();
            Tell(session);
            arena.RemoveRoot("large");
            small[0]++;
            Tell(session);
        }

        using (SnapshotSession session = SnapshotSession.Open(store))
        {
            Arena arena = session.OpenArena("a");
            long value = arena.RootArray<long>("small", 4096)[0];
            Console.Write($"restarted {session.Restarted?.Generation} with {value}\n");
        }

        Console.Write(Dispositions() == before ? "dispositions as before\n" : "dispositions changed\n");
        Console.Out.Flush();
        File.WriteAllBytes(Path.Combine(store, "own"), new byte[16 << 20]);
        Console.Write("not killed by a write of its own\n");
        return 0;
    }

    private static void Tell(SnapshotSession session)
    {
        try
        {
            Console.Write($"committed {session.RequestCheckpoint().WaitCommittedInThread().Generation}\n");
        }
        catch (SnapshotException error)
        {
            Console.Write($"failed {error.Code} {error.Errno}\n");
        }
    }

    /// <summary>
    /// Whether SIGXFSZ is ignored, caught, or blocked by the calling thread; other signals are the runtime's.
    /// </summary>
    private static string Dispositions() => string.Join(
        ' ',
        File.ReadLines("/proc/thread-self/status")
            .Where(line => line.StartsWith("SigBlk", StringComparison.Ordinal)
                || line.StartsWith("SigIgn", StringComparison.Ordinal)
                || line.StartsWith("SigCgt", StringComparison.Ordinal))
            .Select(line => ulong.Parse(
                line.AsSpan("SigBlk:".Length).Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture))
            .Select(set => (set >> (FileSizeSignal - 1)) & 1));
}
