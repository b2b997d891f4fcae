using System.Globalization;
using System.Runtime.InteropServices;

namespace Snapshot.TestPrograms;

/// <summary>
/// A kernel that commits no more memory once the arena is there: <c>ulimit -d</c> set to what is in use.
/// Copies of pages then have to do without.
/// </summary>
internal static partial class CommitLimit
{
    private const int DataSize = 2; // RLIMIT_DATA
    private const long StagingLimit = 1L << 30;

    // Less than the pages need. The runtime itself needs some of it meanwhile, which copies must leave to it.
    private const long Spare = 40L << 20;

    internal static int Run(string store, long megabytes)
    {
        long count = (megabytes << 20) / sizeof(long);
        using (SnapshotSession session =
            SnapshotSession.Open(
                store,
                new SnapshotOptions
                {
                    Capture = CaptureMode.Stage,
                    Tuning =
                    new SnapshotTuning { StagingLimit = StagingLimit }
                }))
        {
            ArenaArray<long> cells = session
                .OpenArena("a", new ArenaOptions { Capacity = (megabytes + 64) << 20 })
                .RootArray<long>("cells", count);
            cells[0] = 1;
            Tell(session);
            cells.AsSpan().Fill(2);
            using (new Limited()) Tell(session);
            cells.AsSpan().Fill(3);
            Tell(session);
        }

        using (SnapshotSession session = SnapshotSession.Open(store))
        {
            long sum = 0;
            foreach (long cell in session.OpenArena("a").RootArray<long>("cells", count).AsSpan())
                sum += cell;
            Console.Write($"sum {sum / count} of each\n");
        }

        return 0;
    }

    private static void Tell(SnapshotSession session)
    {
        try
        {
            SnapshotInfo info = session.RequestCheckpoint().WaitCommittedInThread();
            Console.Write($"committed {info.Generation} by {info.Capture.Regions[0].Mode}\n");
        }
        catch (SnapshotException error)
        {
            Console.Write($"failed {error.Code} {error.Message}\n");
        }
    }

    /// <summary>While it lives the kernel commits a little and no more.</summary>
    private sealed class Limited : IDisposable
    {
        private readonly Limit _before;

        internal Limited()
        {
            GC.Collect();
            _ = getrlimit(DataSize, out _before);
            string used = File.ReadLines("/proc/self/status")
                .First(line => line.StartsWith("VmData:", StringComparison.Ordinal));
            long kilobytes = long.Parse(
                used.AsSpan("VmData:".Length, used.Length - "VmData:".Length - " kB".Length),
                NumberStyles.AllowLeadingWhite, CultureInfo.InvariantCulture);
            Set(new Limit { Soft = (ulong)((kilobytes << 10) + Spare), Hard = _before.Hard });
        }

        public void Dispose() => Set(_before);

        private static void Set(Limit limit)
        {
            if (setrlimit(DataSize, in limit) != 0)
                throw new InvalidOperationException($"setrlimit: errno {Marshal.GetLastPInvokeError()}");
        }
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Limit
    {
        internal ulong Soft;
        internal ulong Hard;
    }

    [LibraryImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static partial int getrlimit(int resource, out Limit limit);

    [LibraryImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static partial int setrlimit(int resource, in Limit limit);
}
