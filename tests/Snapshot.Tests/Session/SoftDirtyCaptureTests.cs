using Snapshot.Tests.Profiles;
using Snapshot.Tests.Tracking;
using Xunit;

namespace Snapshot.Tests.Session;

/// <summary>
/// Where written pages are found only while nobody writes: an early stop, and copies before the pause.
/// </summary>
[Needs(Capability.SoftDirty)]
[Collection(nameof(SoftDirtyTrackerTests))]
public sealed class SoftDirtyCaptureTests : IDisposable
{
    private const int PageCount = 8192;
    private const int LongsPerPage = 512;

    private static readonly SnapshotOptions s_options = new()
    {
        Tuning = new SnapshotTuning { Tracking = TrackingMechanism.SoftDirty },
        Capture = CaptureMode.PreCopy,
    };

    private readonly TemporaryStore _store = new();

    public void Dispose() => _store.Dispose();

    [MachineFact]
    public void Pages_are_copied_before_the_pause_and_what_is_written_after_that_is_in_the_image()
    {
        using (SnapshotSession session = SnapshotSession.Open(_store.Path, s_options))
        {
            ArenaArray<long> cells = Cells(session);
            bool isLate = false;

            // Runs between the early stop and the pause.
            session.RegisterHandler("late", CheckpointHandler.Create(_ =>
            {
                if (Volatile.Read(ref isLate)) cells[4000 * LongsPerPage] = -4;
            }));
            Fill(cells, 1);
            session.RequestCheckpoint().WaitCommittedInThread();
            Fill(cells, 2);
            Volatile.Write(ref isLate, true);
            SnapshotInfo info = session.RequestCheckpoint().WaitCommittedInThread();
            RegionCaptureInfo region = Assert.Single(info.Capture.Regions);
            Assert.Equal(CaptureMode.PreCopy, region.Mode);
            Assert.Equal(TrackingMechanism.SoftDirty, region.Tracking);
            Assert.True(info.Capture.Pause.EarlyStop > TimeSpan.Zero);
            Assert.InRange(info.Capture.Pause.PagesCopied, 1, PageCount / 8);
            Assert.InRange(info.PagesChanged, PageCount, PageCount + 64);
        }

        using SnapshotSession restarted = SnapshotSession.Open(_store.Path, s_options);
        ArenaArray<long> restored = Cells(restarted);
        for (int page = 0; page < PageCount; page++)
            Assert.Equal(page == 4000 ? -4 : 2000 + page, restored[page * LongsPerPage]);
    }

    [MachineFact]
    public void Few_pages_are_copied_inside_the_pause_without_an_early_stop()
    {
        using SnapshotSession session = SnapshotSession.Open(_store.Path, s_options);
        ArenaArray<long> cells = Cells(session);
        Fill(cells, 1);
        session.RequestCheckpoint().WaitCommittedInThread();
        cells[17 * LongsPerPage] = 5;
        SnapshotInfo info = session.RequestCheckpoint().WaitCommittedInThread();
        Assert.Equal(TimeSpan.Zero, info.Capture.Pause.EarlyStop);
        Assert.Equal(1, info.PagesChanged);
    }

    [MachineFact]
    public void A_checkpoint_that_fails_after_its_early_stop_loses_nothing()
    {
        using (SnapshotSession session = SnapshotSession.Open(_store.Path, s_options))
        {
            ArenaArray<long> cells = Cells(session);
            bool fails = false;
            session.RegisterHandler("failing", CheckpointHandler.Create(context =>
            {
                if (Volatile.Read(ref fails)) context.Abort(3);
            }));
            Fill(cells, 1);
            session.RequestCheckpoint().WaitCommittedInThread();
            Fill(cells, 2);
            Volatile.Write(ref fails, true);
            Assert.Equal(
                SnapshotErrorCode.Aborted,
                Assert.Throws<SnapshotException>(
                    () => session.RequestCheckpoint().WaitCommittedInThread()).Code);
            Volatile.Write(ref fails, false);
            Assert.InRange(
                session.RequestCheckpoint().WaitCommittedInThread().PagesChanged, PageCount, PageCount + 64);
        }

        using SnapshotSession restarted = SnapshotSession.Open(_store.Path, s_options);
        ArenaArray<long> restored = Cells(restarted);
        for (int page = 0; page < PageCount; page++) Assert.Equal(2000 + page, restored[page * LongsPerPage]);
    }

    private static ArenaArray<long> Cells(SnapshotSession session) => session
        .OpenArena("a", new ArenaOptions { Capacity = 128L << 20, HugePages = false })
        .RootArray<long>("cells", PageCount * LongsPerPage);

    private static void Fill(ArenaArray<long> cells, int round)
    {
        for (int page = 0; page < PageCount; page++) cells[page * LongsPerPage] = 1000 * round + page;
    }
}
