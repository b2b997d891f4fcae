using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Snapshot.Base;
using Snapshot.TestPrograms;
using Snapshot.Tests.Profiles;
using Xunit;
using Xunit.Abstractions;

namespace Snapshot.Tests.Session;

/// <summary>
/// process_vm_writev pins what it writes before it writes it. In ranges that are open no such write is lost,
/// whoever opens and closes others meanwhile.
/// </summary>
[SupportedOSPlatform("linux")]
public sealed unsafe class DeviceWriteTests(ITestOutputHelper output) : IDisposable
{
    private const int Writers = 2;
    private const int PagesEach = 1200;
    private const int LongsPerPage = Pages.Size / sizeof(long);

    private readonly TemporaryStore _store = new();

    private struct Mark
    {
        public long Sequence;
        public long PagesDone;
    }

    public void Dispose() => _store.Dispose();

    [Fact]
    public void Another_process_writes_while_checkpoints_are_taken_and_the_next_image_is_memory()
    {
        using DevicePeer peer = new();
        Stopwatch clock = Stopwatch.StartNew();
        int runs = 0;
        for (int seed = 1; runs == 0 || clock.Elapsed < Soak.Time(0); seed++)
        {
            foreach (DeviceWrites.Way way in DeviceWrites.Possible)
            {
                long differing = DeviceWrites.Differing(way, peer, opens: true, seed);
                Assert.True(differing == 0, $"{way}, seed {seed}: {differing} pages differ");
                runs++;
            }
        }

        output.WriteLine($"{runs} runs");
    }

    [MachineFact]
    [Needs(Programs = ["cc"])]
    public void The_same_without_privilege()
    {
        (int exitCode, string text) = OrdinaryUser.Run("device-writes");
        output.WriteLine(text);
        Assert.True(exitCode == 0, text);
        Assert.Contains("ContentHash Stage: 0 pages differ\n", text, StringComparison.Ordinal);
        string[] lines = text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.All(lines, line => Assert.EndsWith(": 0 pages differ", line, StringComparison.Ordinal));
    }

    /// <summary>
    /// Each writer opens what it writes, for a while; another thread opens and closes whatever it likes.
    /// Writers rest in the pause, so an image is of one moment: pages before the mark carry its number, those
    /// behind it the one before.
    /// </summary>
    [MachineTheory]
    [InlineData(TrackingMechanism.WriteProtect, CaptureMode.PreCopy, 1)]
    [InlineData(TrackingMechanism.WriteProtect, CaptureMode.Stage, 2)]
    [InlineData(TrackingMechanism.Auto, CaptureMode.CopyOnWrite, 3)]
    [InlineData(TrackingMechanism.SignalWriteProtect, CaptureMode.Auto, 4)]
    [InlineData(TrackingMechanism.SoftDirty, CaptureMode.Auto, 5)]
    [InlineData(TrackingMechanism.ContentHash, CaptureMode.Stage, 6)]
    public void Every_image_is_of_one_moment_while_ranges_are_opened_and_closed(
        TrackingMechanism tracking, CaptureMode capture, int seed)
    {
        SnapshotOptions options =
            new() { Capture = capture, Tuning = new SnapshotTuning { Tracking = tracking } };
        long last = 0;
        using (SnapshotSession session = SnapshotSession.Open(_store.Path, options))
        {
            Arena arena = session.OpenArena("a", new ArenaOptions { Capacity = 64L << 20 });
            using CancellationTokenSource ending = new();
            Thread[] threads =
            [
                .. Enumerable.Range(0, Writers).Select(
                    writer => new Thread(() => Write(session, arena, writer, seed, ending.Token))),
                new Thread(() => OpenAndClose(arena, new Random(seed), ending.Token)),
            ];
            Array.ForEach(threads, thread => thread.Start());
            Stopwatch clock = Stopwatch.StartNew();
            for (int images = 0; images < 6 || clock.Elapsed < Soak.Time(0.5); images++)
            {
                last = session.RequestCheckpoint().WaitCommittedInThread().Generation;
                byte[] image = StoredMemory.Read(session.Store, last, "a");
                CheckOneMoment(arena, image, $"image {last}, seed {seed}");
            }

            ending.Cancel();
            Array.ForEach(threads, thread => thread.Join());
        }

        using SnapshotSession again = SnapshotSession.Restart(_store.Path);
        Assert.Equal(last, again.Restarted!.Generation);
        Arena found = again.OpenArena("a");
        CheckOneMoment(
            found, new ReadOnlySpan<byte>((byte*)found.BaseAddress, (int)found.CommittedBytes), "restarted");
    }

    private static void Write(
        SnapshotSession session, Arena arena, int writer, int seed, CancellationToken ending)
    {
        using Participant me = session.Attach($"writer {writer}");
        (nint at, nint to) = RootsOf(arena, writer);
        Mark* mark = (Mark*)at;
        byte* window = (byte*)to;
        Random random = new((seed * 100) + writer);
        long[] content = new long[PagesEach * LongsPerPage];
        DeviceRange? range = null;
        while (!ending.IsCancellationRequested)
        {
            mark->PagesDone = 0;
            mark->Sequence++;
            content.AsSpan().Fill(mark->Sequence);
            me.Poll();
            while (mark->PagesDone < PagesEach && !ending.IsCancellationRequested)
            {
                if (range is null || random.Next(4) == 0)
                {
                    range?.Dispose();
                    range = arena.OpenForDevices(window, PagesEach * Pages.Size);
                }

                long pages = Math.Min(random.Next(1, 400), PagesEach - mark->PagesDone);
                fixed (long* from = content)
                {
                    DevicePeer.Write(
                        Environment.ProcessId, (byte*)from, window + (mark->PagesDone * Pages.Size),
                        pages * Pages.Size);
                }

                mark->PagesDone += pages;
                if (random.Next(8) == 0)
                {
                    range.Dispose();
                    range = null;
                }

                me.Poll();
            }
        }

        range?.Dispose();
    }

    private static void OpenAndClose(Arena arena, Random random, CancellationToken ending)
    {
        List<DeviceRange> ranges = [];
        while (!ending.IsCancellationRequested)
        {
            if (ranges.Count > random.Next(6))
            {
                int at = random.Next(ranges.Count);
                ranges[at].Dispose();
                ranges.RemoveAt(at);
            }

            long bytes = random.NextInt64(arena.CommittedBytes / 4);
            long first = random.NextInt64(arena.CommittedBytes - bytes);
            ranges.Add(arena.OpenForDevices((byte*)arena.BaseAddress + first, bytes));
            Thread.Yield();
        }

        ranges.ForEach(range => range.Dispose());
    }

    private static (nint Mark, nint Window) RootsOf(Arena arena, int writer) => (
        (nint)arena.RootPointer<Mark>($"mark {writer}"),
        (nint)arena.RootArray<byte>($"window {writer}", PagesEach * Pages.Size).Pointer);

    private static void CheckOneMoment(Arena arena, ReadOnlySpan<byte> image, string what)
    {
        for (int writer = 0; writer < Writers; writer++)
        {
            (nint at, nint window) = RootsOf(arena, writer);
            Mark mark = MemoryMarshal.Read<Mark>(image[(int)(at - arena.BaseAddress)..]);
            ReadOnlySpan<long> cells = MemoryMarshal.Cast<byte, long>(
                image.Slice((int)(window - arena.BaseAddress), PagesEach * Pages.Size));
            for (int page = 0; page < PagesEach; page++)
            {
                long expected = page < mark.PagesDone ? mark.Sequence : Math.Max(0, mark.Sequence - 1);
                ReadOnlySpan<long> content = cells.Slice(page * LongsPerPage, LongsPerPage);
                int differs = content.IndexOfAnyExcept(expected);
                Assert.True(
                    differs < 0,
                    $"{what}, writer {writer}: page {page} does not hold {expected} everywhere; the mark " +
                    $"is {mark.Sequence} at {mark.PagesDone}");
            }
        }
    }
}
