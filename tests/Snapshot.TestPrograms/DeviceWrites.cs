using System.Diagnostics;
using System.Globalization;
using Snapshot.Base;

namespace Snapshot.TestPrograms;

/// <summary>
/// A peer writes a window of an arena while checkpoints are taken. When it is quiet one more is taken, and
/// its image is compared with memory.
/// </summary>
internal static unsafe class DeviceWrites
{
    private const int WindowBytes = 32 << 20;
    private const int BesideBytes = 4 << 20;

    /// <summary>How memory is captured, and found written.</summary>
    internal readonly record struct Way(TrackingMechanism Tracking, CaptureMode Capture);

    /// <summary>Those that work in this process.</summary>
    internal static IEnumerable<Way> Possible
    {
        get
        {
            MachineCapabilities machine = MachineCapabilities.Current;
            if (machine[Capability.WriteTracking])
            {
                yield return new Way(TrackingMechanism.WriteProtect, CaptureMode.PreCopy);
                yield return new Way(TrackingMechanism.WriteProtect, CaptureMode.Stage);
            }

            if (machine[Capability.CopyOnWrite])
                yield return new Way(TrackingMechanism.Auto, CaptureMode.CopyOnWrite);
            if (machine[Capability.SoftDirty])
                yield return new Way(TrackingMechanism.SoftDirty, CaptureMode.Auto);
            yield return new Way(TrackingMechanism.SignalWriteProtect, CaptureMode.Auto);
            yield return new Way(TrackingMechanism.ContentHash, CaptureMode.Stage);
        }
    }

    /// <summary>Each way once, with open ranges: a line each.</summary>
    internal static int Run()
    {
        using DevicePeer peer = new();
        int seed = 1;
        foreach (Way way in Possible)
        {
            long differing = Differing(way, peer, opens: true, seed++);
            Console.WriteLine($"{way.Tracking} {way.Capture}: {differing} pages differ");
        }

        return 0;
    }

    /// <summary>
    /// Each way so many times, with open ranges or without, and how often images were wrong: for people.
    /// </summary>
    internal static int Count(int runs, bool opens)
    {
        using DevicePeer peer = new();
        foreach (Way way in Possible)
        {
            // Without an open range the call fails where memory is protected by signals.
            if (!opens && way.Tracking == TrackingMechanism.SignalWriteProtect) continue;
            Stopwatch clock = Stopwatch.StartNew();
            long[] differing =
                [.. Enumerable.Range(1, runs).Select(seed => Differing(way, peer, opens, seed)).Order()];
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{way.Tracking} {way.Capture}: wrong {differing.Count(pages => pages > 0)} of {runs}, " +
                $"pages {differing[0]} to {differing[^1]}, {clock.Elapsed.TotalSeconds:F1} s"));
        }

        return 0;
    }

    /// <summary>
    /// How many pages of the images differ from memory: after the writes, and after the closing.
    /// </summary>
    internal static long Differing(Way way, DevicePeer peer, bool opens, int seed)
    {
        string store = Directory.CreateTempSubdirectory("snapshot-device-").FullName;
        try
        {
            using SnapshotSession session = SnapshotSession.Open(store, new SnapshotOptions
            {
                Capture = way.Capture,
                Tuning = new SnapshotTuning { Tracking = way.Tracking },
            });
            Arena arena = session.OpenArena("a", new ArenaOptions { Capacity = 64 << 20 });
            ArenaArray<byte> beside = arena.RootArray<byte>("beside", BesideBytes);
            ArenaArray<byte> window = arena.RootArray<byte>("window", WindowBytes);
            beside.AsSpan().Fill(1);
            window.AsSpan().Fill(1);
            session.RequestCheckpoint().WaitCommittedInThread();
            DeviceRange? range = opens ? arena.OpenForDevices(window) : null;

            // Of 64 KiB to 4 MiB.
            Task writing = peer.Write(window.Pointer, WindowBytes, (64 << 10) << (seed % 7), seed);
            for (int page = 0; !writing.IsCompleted; page++)
            {
                beside[page % (BesideBytes / Pages.Size) * Pages.Size]++;
                session.RequestCheckpoint().WaitCommittedInThread();
            }

            writing.GetAwaiter().GetResult();
            long differing = Differing(session, arena);
            if (range is null) return differing;
            range.Dispose();
            differing += Differing(session, arena);
            window[Pages.Size * 7]++;
            return differing + Differing(session, arena);
        }
        finally
        {
            Directory.Delete(store, recursive: true);
        }
    }

    /// <summary>The same after one checkpoint of memory that nobody writes.</summary>
    internal static long Differing(SnapshotSession session, Arena arena)
    {
        long generation = session.RequestCheckpoint().WaitCommittedInThread().Generation;
        using StoredRegion stored = session.Store.OpenRegion(generation, arena.Name);
        byte[] image = new byte[stored.Length];
        stored.Read(0, image);
        long differing = 0;
        for (int at = 0; at < image.Length; at += Pages.Size)
        {
            ReadOnlySpan<byte> page = new((byte*)arena.BaseAddress + at, Pages.Size);
            if (!page.SequenceEqual(image.AsSpan(at, Pages.Size))) differing++;
        }

        return differing;
    }
}
