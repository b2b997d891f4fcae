using System.Diagnostics;
using Xunit;

namespace Snapshot.Tests.Session;

/// <summary>What undoes nothing is still told: to whoever subscribed, and with the generation.</summary>
public sealed class ReportTests : IDisposable
{
    private readonly TemporaryStore _store = new();

    public void Dispose() => _store.Dispose();

    [Fact]
    public async Task A_resume_part_and_a_committed_part_that_throw_are_reported_and_the_image_is_valid()
    {
        List<HandlerError> errors = [];
        using CountdownEvent both = new(2);
        await using SnapshotSession session = SnapshotSession.Open(_store.Path);
        session.OpenArena("a", new ArenaOptions { Capacity = 64 << 20 });
        session.HandlerFailed += (_, error) =>
        {
            lock (errors) errors.Add(error);
            both.Signal();
        };
        session.RegisterHandler("throws", CheckpointHandler.Create(
            _ => { },
            _ => throw new InvalidOperationException("resume"),
            _ => throw new InvalidOperationException("committed")));
        Assert.Equal(1, (await session.CheckpointAsync()).Generation);
        both.Wait();
        Assert.Equal(["resume", "committed"], errors.Select(error => error.Exception.Message));
        Assert.All(errors, error => Assert.Equal("throws", error.Handler));
        Assert.Equal(1, session.Store.Newest!.Generation);
    }

    [Fact]
    public void The_processor_time_is_that_of_the_checkpoint()
    {
        using SnapshotSession session = SnapshotSession.Open(_store.Path);
        Arena arena = session.OpenArena("a", new ArenaOptions { Capacity = 256 << 20 });
        ArenaArray<byte> bytes = arena.RootArray<byte>("bytes", 96 << 20);
        new Random(1).NextBytes(bytes.AsSpan());
        using Process process = Process.GetCurrentProcess();
        TimeSpan before = process.TotalProcessorTime;
        SnapshotInfo full = session.RequestCheckpoint().WaitCommittedInThread();
        process.Refresh();

        // The kernel counts a process's time in ticks.
        TimeSpan ofProcess = process.TotalProcessorTime - before + TimeSpan.FromMilliseconds(20);
        Assert.InRange(full.ProcessorTime, TimeSpan.FromMilliseconds(1), ofProcess);

        bytes[5]++;
        SnapshotInfo small = session.RequestCheckpoint().WaitCommittedInThread();
        Assert.InRange(small.ProcessorTime, TimeSpan.FromTicks(1), full.ProcessorTime);
    }

    [Fact]
    public async Task A_participant_whose_thread_ended_is_named_and_not_waited_for()
    {
        string? died = null;
        await using SnapshotSession session = SnapshotSession.Open(_store.Path);
        session.OpenArena("a", new ArenaOptions { Capacity = 64 << 20 });
        session.ParticipantDied += (_, name) => died = name;
        Thread careless = new(() => session.Attach("careless"));
        careless.Start();
        careless.Join();
        SnapshotInfo info = await session.CheckpointAsync();
        Assert.Equal("careless", died);
        Assert.Equal(["careless"], info.ParticipantsDied);
    }

    [Fact]
    public void Progress_tells_the_stages_in_order_and_the_capture_before_the_drain()
    {
        using SnapshotSession session = SnapshotSession.Open(_store.Path);
        session.OpenArena("a", new ArenaOptions { Capacity = 64 << 20 });
        StageLog log = new();
        CheckpointTicket ticket = session.RequestCheckpoint(progress: log);
        log.Ticket.SetResult(ticket);
        SnapshotInfo info = ticket.WaitCommittedInThread();
        Assert.Equal(Enum.GetValues<CheckpointStage>(), log.Stages);
        Assert.Equal([CheckpointStage.Draining, CheckpointStage.Committing], log.Captured);
        Assert.All(
            [info.Capture.Prepare, info.Capture.Pause.Total, info.Capture.Pause.Gather,
                info.Capture.Pause.Collect,
                info.Capture.Pause.Copy, info.Capture.Pause.Release, info.Drain, info.Commit],
            time => Assert.InRange(time, TimeSpan.Zero, TimeSpan.FromMinutes(1)));
        TimeSpan parts = info.Capture.Pause.Gather + info.Capture.Pause.Collect + info.Capture.Pause.Copy +
            info.Capture.Pause.Release;
        Assert.InRange(
            (info.Capture.Pause.Total - parts).Duration(), TimeSpan.Zero, TimeSpan.FromMicroseconds(1));
    }

    /// <summary>Which stages were told, and which of them after the capture.</summary>
    private sealed class StageLog : IProgress<SnapshotProgress>
    {
        internal TaskCompletionSource<CheckpointTicket> Ticket { get; } = new();

        internal List<CheckpointStage> Stages { get; } = [];

        internal List<CheckpointStage> Captured { get; } = [];

        public void Report(SnapshotProgress value)
        {
            if (value.PagesTotal > 0) return;
            Stages.Add(value.Stage);
            if (Ticket.Task.GetAwaiter().GetResult().Captured.IsCompleted) Captured.Add(value.Stage);
        }
    }
}
