using System.Diagnostics;
using System.Runtime.InteropServices;
using Snapshot.Tests.Profiles;
using Xunit;

namespace Snapshot.Tests.Session;

/// <summary>
/// Writers stamp their pages with a sequence number, page after page, and note how far they are. So an image
/// is of one moment exactly when the pages before the mark carry the number and those behind it the number
/// before.
/// </summary>
public sealed unsafe class ConsistencyTests : IDisposable
{
    private const int Writers = 2;
    private const int PagesEach = 1500;
    private const int LongsPerPage = 512;

    private readonly TemporaryStore _store = new();

    private struct Mark
    {
        public long Sequence;
        public long PagesDone;
    }

    public void Dispose() => _store.Dispose();

    [MachineTheory]
    [InlineData(TrackingMechanism.WriteProtect, CaptureMode.PreCopy, 1)]
    [InlineData(TrackingMechanism.WriteProtect, CaptureMode.Stage, 2)]
    [InlineData(TrackingMechanism.ContentHash, CaptureMode.Stage, 3)]
    [InlineData(TrackingMechanism.Auto, CaptureMode.CopyOnWrite, 4)]
    [InlineData(TrackingMechanism.Auto, CaptureMode.CopyOnWrite, 5)]
    [InlineData(TrackingMechanism.SoftDirty, CaptureMode.Auto, 8)]
    public void Every_image_is_of_one_moment(
        TrackingMechanism tracking, CaptureMode capture, int seed) =>
        Check(tracking, capture, seed, beforeEach: _ => { });

    /// <summary>
    /// Where tracking begins anew, pages that are as they were are left out against writers.
    /// </summary>
    [MachineFact]
    [Needs(Capability.WriteTracking, Capability.CopyOnWrite)]
    public void Every_image_is_of_one_moment_when_each_is_captured_in_another_way()
    {
        CaptureMode next = CaptureMode.CopyOnWrite;
        Check(TrackingMechanism.Auto, next, seed: 9, session =>
        {
            next = next == CaptureMode.CopyOnWrite ? CaptureMode.PreCopy : CaptureMode.CopyOnWrite;
            session.OpenArena("a", new ArenaOptions { Capacity = 256L << 20, Capture = next });
        });
    }

    private void Check(
        TrackingMechanism tracking, CaptureMode capture, int seed,
        Action<SnapshotSession> beforeEach)
    {
        SnapshotOptions options = new()
        {
            Tuning = new SnapshotTuning { Tracking = tracking },
            Capture = capture,
            Store = new StoreOptions { ChainLengthMax = 8 },
        };
        using SnapshotSession session = SnapshotSession.Open(_store.Path, options);
        Arena arena = session.OpenArena("a", new ArenaOptions { Capacity = 256L << 20 });
        nint[] marks = new nint[Writers], pages = new nint[Writers];
        bool stop = false;
        Thread[] writers = new Thread[Writers];
        for (int writer = 0; writer < Writers; writer++)
        {
            Mark* mark = arena.RootPointer<Mark>($"mark {writer}");
            long* cells = arena.RootArray<long>($"cells {writer}", PagesEach * LongsPerPage).Pointer;
            (marks[writer], pages[writer]) = ((nint)mark, (nint)cells);
            Random random = new(seed * 100 + writer);
            string name = $"writer {writer}";
            writers[writer] = new Thread(() =>
            {
                using Participant me = session.Attach(name);
                Write(me, mark, cells, random, ref stop);
            });
        }

        Array.ForEach(writers, writer => writer.Start());
        TimeSpan time = Soak.Time(1);
        Stopwatch clock = Stopwatch.StartNew();
        for (int images = 0; images < 10 || clock.Elapsed < time; images++)
        {
            beforeEach(session);
            SnapshotInfo info = session.RequestCheckpoint().WaitCommittedInThread();
            byte[] image = StoredMemory.Read(session.Store, info.Generation, "a");
            for (int writer = 0; writer < Writers; writer++)
            {
                int mark = (int)(marks[writer] - arena.BaseAddress), cells =
                    (int)(pages[writer] - arena.BaseAddress);
                CheckOneMoment(image, mark, cells, $"image {info.Generation}, writer {writer}, seed {seed}");
            }
        }

        Volatile.Write(ref stop, true);
        Array.ForEach(writers, writer => writer.Join());
    }

    private static void Write(Participant me, Mark* mark, long* cells, Random random, ref bool stop)
    {
        int untilPoll = 1;
        while (!Volatile.Read(ref stop))
        {
            mark->PagesDone = 0;
            mark->Sequence++;
            for (int page = 0; page < PagesEach; page++)
            {
                // Both ends of the page, so that a page of two moments shows as well.
                cells[(page + 1) * LongsPerPage - 1] = mark->Sequence;
                cells[page * LongsPerPage] = mark->Sequence;
                mark->PagesDone = page + 1;
                if (--untilPoll > 0) continue;
                untilPoll = random.Next(1, 200);
                me.Poll();
            }
        }
    }

    private static void CheckOneMoment(ReadOnlySpan<byte> image, int markOffset, int cellsOffset, string what)
    {
        Mark mark = MemoryMarshal.Read<Mark>(image[markOffset..]);
        ReadOnlySpan<long> cells = MemoryMarshal.Cast<byte, long>(
            image.Slice(cellsOffset, PagesEach * LongsPerPage * sizeof(long)));
        for (int page = 0; page < PagesEach; page++)
        {
            long expected = page < mark.PagesDone ? mark.Sequence : Math.Max(0, mark.Sequence - 1);
            long first = cells[page * LongsPerPage], last = cells[(page + 1) * LongsPerPage - 1];
            if (first != expected || last != expected)
                Assert.Fail(
                    $"{what}: page {page} holds {first} and {last}, expected {expected}; " +
                    $"the mark is {mark.Sequence} at {mark.PagesDone}");
        }
    }
}
