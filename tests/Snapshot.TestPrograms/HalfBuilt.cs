using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Snapshot.TestPrograms;

/// <summary>
/// Opens a session again and again with one descriptor more to be had each time, until it opens: each failure
/// on the way must leave no descriptor, no thread and no mapping.
/// </summary>
internal static partial class HalfBuilt
{
    private const int DescriptorLimit = 7; // RLIMIT_NOFILE
    private const int TriesMax = 100;

    internal static int Run(string store, string how)
    {
        SnapshotOptions options = OptionsFor(how);
        Prepare(store, options);
        List<SafeFileHandle> filling = FillGaps();
        Left before = Left.Now();
        int failures = 0;
        for (int more = 0; more < TriesMax; more++)
        {
            if (TryOpen(store, options, filling.Max(Number) + 1 + more) is not { } error) break;
            failures++;
            Left after = Left.Now();
            if (after != before) Console.Write($"with {more} more: {after}, before {before}: {error}\n");
            before = after;
        }

        foreach (SafeFileHandle handle in filling) handle.Dispose();
        Console.Write(
            failures is > 2 and < TriesMax ? "failed, then opened\n" : $"failed {failures} times\n");
        return 0;
    }

    private static SnapshotOptions OptionsFor(string how) => how switch
    {
        "lazy" => new() { Restart = new RestartOptions { Fill = RestartFill.Lazy } },
        "copy-on-write" => new()
        {
            Capture = CaptureMode.CopyOnWrite,
            Restart =
            new RestartOptions { Fill = RestartFill.Eager }
        },
        _ => new()
        {
            Tuning = new SnapshotTuning { Tracking = TrackingMechanism.ContentHash },
            Restart =
            new RestartOptions { Fill = RestartFill.Eager }
        },
    };

    /// <summary>An image to restart from; and what the runtime opens at a first use is open then.</summary>
    private static void Prepare(string store, SnapshotOptions options)
    {
        using (SnapshotSession session = SnapshotSession.Open(store, options))
        {
            ArenaOptions capacity = new() { Capacity = 64L << 20 };
            session.OpenArena("a", capacity).RootArray<long>("cells", 4096)[0] = 1;
            session.OpenArena("b", capacity).RootArray<long>("cells", 4096)[0] = 1;
            session.RequestCheckpoint().WaitCommittedInThread();
        }

        using (SnapshotSession.Open(store, options)) _ = MachineCapabilities.Current;
        _ = TryOpen(store, options, HighestDescriptor() + 1);
        _ = Left.Now();
    }

    /// <summary>
    /// A limit of descriptors is one of their numbers: those below the highest are taken, so that it counts.
    /// </summary>
    private static List<SafeFileHandle> FillGaps()
    {
        int highest = HighestDescriptor();
        List<SafeFileHandle> filling = [];
        while (filling.Count == 0 || Number(filling[^1]) <= highest)
            filling.Add(File.OpenHandle("/dev/null"));
        return filling;
    }

    private static int Number(SafeFileHandle handle) => (int)handle.DangerousGetHandle();

    private static Exception? TryOpen(string store, SnapshotOptions options, int descriptors)
    {
        Limit before = default, lowered;
        if (getrlimit(DescriptorLimit, ref before) != 0)
            throw new InvalidOperationException("getrlimit failed");
        lowered = before with { Soft = (ulong)descriptors };
        if (setrlimit(DescriptorLimit, ref lowered) != 0)
            throw new InvalidOperationException("setrlimit failed");
        try
        {
            SnapshotSession.Open(store, options).Dispose();
            return null;
        }
        catch (Exception error) when (error is SnapshotException or OutOfMemoryException)
        {
            // Out of memory is what the runtime says when it has no descriptor for a thread.
            return error;
        }
        finally
        {
            _ = setrlimit(DescriptorLimit, ref before);
        }
    }

    private static int HighestDescriptor() => Directory.EnumerateFileSystemEntries("/proc/self/fd")
        .Select(path => int.Parse(Path.GetFileName(path), System.Globalization.CultureInfo.InvariantCulture))
        .Max();

    [LibraryImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int getrlimit(int resource, ref Limit limit);

    [LibraryImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int setrlimit(int resource, ref Limit limit);

    private record struct Limit(ulong Soft, ulong Hard);

    /// <summary>What a session has of the system, without what the runtime has.</summary>
    private sealed record Left(int Descriptors, int Threads, int Arenas)
    {
        internal static Left Now() => new(
            Directory.EnumerateFileSystemEntries("/proc/self/fd").Count(),
            Directory.EnumerateDirectories("/proc/self/task").Count(IsOfLibrary),
            File.ReadLines("/proc/self/maps").Count(
                line => line.Contains("snapshot:", StringComparison.Ordinal)));

        private static bool IsOfLibrary(string task)
        {
            try
            {
                return File.ReadAllText($"{task}/comm").StartsWith(
                    "snapshot", StringComparison.OrdinalIgnoreCase);
            }
            catch (IOException)
            {
                // It has ended meanwhile.
                return false;
            }
        }
    }
}
