using System.Runtime.CompilerServices;
using Xunit;

namespace Snapshot.Tests.Session;

/// <summary>
/// What users do that is not what was meant: it is refused with a sentence, or does no harm.
/// </summary>
public sealed class HostileUserTests : IDisposable
{
    private static readonly ArenaOptions s_small = new() { Capacity = 16L << 20 };

    private readonly TemporaryStore _store = new();

    public void Dispose() => _store.Dispose();

    [Fact]
    public void An_arena_is_closed_by_its_session_alone()
    {
        Assert.False(typeof(IDisposable).IsAssignableFrom(typeof(Arena)));
        SnapshotSession session = SnapshotSession.Open(_store.Path);
        Arena arena = session.OpenArena("a", s_small);
        arena.Root<int>("number") = 1;
        session.Dispose();
        Assert.Throws<ObjectDisposedException>(() => { arena.Allocate<int>(1); });
    }

    [Fact]
    public async Task Pruning_spares_the_older_generation_that_a_session_continues()
    {
        await using (SnapshotSession session = SnapshotSession.Open(_store.Path))
        {
            ArenaArray<int> numbers = session.OpenArena("a", s_small).RootArray<int>("numbers", 1 << 16);
            for (int round = 1; round <= 2; round++)
            {
                numbers.AsSpan().Fill(round);
                await session.CheckpointAsync();
            }

            await session.Store.CompactAsync(2);
        }

        await using (SnapshotSession older = SnapshotSession.Restart(
            _store.Path, new SnapshotOptions { Restart = new RestartOptions { Generation = 1 } }))
        {
            Assert.Empty(await older.Store.PruneAsync(new RetentionPolicy { KeepLast = 1 }));
            Assert.Equal(1, (await older.CheckpointAsync()).Parent);
        }

        await using SnapshotSession restarted = SnapshotSession.Open(_store.Path);
        Assert.Equal(3, restarted.Restarted!.Generation);
        Assert.Equal(1, restarted.OpenArena("a").RootArray<int>("numbers", 1 << 16)[0]);
    }

    [Fact]
    public void A_session_closed_under_a_participant_leaves_the_memory_it_writes()
    {
        SnapshotSession session = SnapshotSession.Open(_store.Path);
        ArenaArray<int> numbers = session.OpenArena("a", s_small).RootArray<int>("numbers", 1000);
        using ManualResetEventSlim attached = new(), closed = new();
        Thread participant = new(() =>
        {
            using Participant me = session.Attach("late");
            attached.Set();
            closed.Wait();
            numbers.AsSpan().Fill(7);
        });
        participant.Start();
        attached.Wait();
        session.Dispose();
        closed.Set();
        participant.Join();
        Assert.Equal(7, numbers[999]);
    }

    [Fact]
    public void A_name_that_an_image_cannot_hold_is_refused_when_it_is_given()
    {
        using SnapshotSession session = SnapshotSession.Open(_store.Path);
        Arena arena = session.OpenArena("a", s_small);
        string[] names = ["", new string('x', 256), new string('é', 128), "half \ud83d", "\ude00 half"];
        foreach (string name in names)
        {
            Refused(() => arena.Root<int>(name));
            Refused(() => session.Protect(name, new byte[1]));
            Refused(() => session.Attach(name));
            Refused(() => session.RegisterHandler(name, CheckpointHandler.Create()));
        }

        session.RequestCheckpoint().WaitCommittedInThread();

        static void Refused(Action call) =>
            Assert.Equal("name", Assert.ThrowsAny<ArgumentException>(call).ParamName);
    }

    [Fact]
    public void A_refused_buffer_is_not_pinned()
    {
        using SnapshotSession session = SnapshotSession.Open(_store.Path);
        session.Protect("buffer", new byte[10]);
        WeakReference refused = Refuse(session);
        GC.Collect();
        Assert.False(refused.IsAlive);

        [MethodImpl(MethodImplOptions.NoInlining)]
        static WeakReference Refuse(SnapshotSession session)
        {
            byte[] array = new byte[10];
            Assert.Throws<SnapshotException>(() => session.Protect("buffer", array));
            return new WeakReference(array);
        }
    }

    [Fact]
    public async Task A_progress_callback_that_closes_the_session_gives_up_the_checkpoint_and_does_not_wait()
    {
        SnapshotSession session = SnapshotSession.Open(_store.Path);
        CheckpointTicket ticket = session.RequestCheckpoint(progress: new Told(_ => session.Dispose()));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => ticket.Committed);

        // This one waits until the other has closed it.
        await session.DisposeAsync();
        Assert.Throws<ObjectDisposedException>(() => session.RequestCheckpoint());
        SnapshotSession.Open(_store.Path).Dispose();
    }

    [Theory]
    [InlineData(CheckpointStage.Waiting)]
    [InlineData(CheckpointStage.Stopping)]
    [InlineData(CheckpointStage.Committing)]
    public void A_progress_callback_that_throws_is_told_of_and_ends_nothing(CheckpointStage stage)
    {
        List<CheckpointStage> told = [];
        using SnapshotSession session = SnapshotSession.Open(_store.Path);
        session.OpenArena("a", s_small).Root<int>("number") = 1;
        SnapshotInfo info = session.RequestCheckpoint(progress: new Told(value =>
        {
            told.Add(value.Stage);
            if (value.Stage == stage) throw new TimeoutException("of the callback");
        })).WaitCommittedInThread();
        Assert.Equal("of the callback", Assert.IsType<TimeoutException>(info.ProgressError).Message);
        Assert.Equal(stage, told[^1]);
        Assert.Equal((1, 1), (info.Generation, session.Store.Newest!.Generation));
        Assert.Null(
            session.RequestCheckpoint(progress: new Told(_ => { })).WaitCommittedInThread().ProgressError);
    }

    [Theory]
    [InlineData(CheckpointStage.Waiting, false)]
    [InlineData(CheckpointStage.Draining, false)]
    [InlineData(CheckpointStage.Draining, true)]
    public async Task Waiting_for_ones_own_checkpoint_in_a_progress_callback_is_refused(
        CheckpointStage stage, bool hasPages)
    {
        CheckpointTicket? own = null;
        List<SnapshotErrorCode> refused = [];
        using ManualResetEventSlim requested = new();
        using SnapshotSession session = SnapshotSession.Open(_store.Path);
        ArenaOptions large = new() { Capacity = 64L << 20 };
        session.OpenArena("a", large).RootArray<long>("many", 4 << 20).AsSpan().Fill(1);
        own = session.RequestCheckpoint(progress: new Told(value =>
        {
            if (value.Stage != stage || value.PagesDone > 0 != hasPages) return;
            requested.Wait();
            refused.Add(Assert.Throws<SnapshotException>(() => own!.WaitCapturedInThread()).Code);
            refused.Add(Assert.Throws<SnapshotException>(() => own!.WaitCommittedInThread()).Code);
        }));
        requested.Set();
        SnapshotInfo info = await own.Committed.WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Null(info.ProgressError);
        Assert.NotEmpty(refused);
        Assert.All(refused, code => Assert.Equal(SnapshotErrorCode.SelfDeadlock, code));
    }

    [Fact]
    public void A_progress_callback_may_wait_for_a_checkpoint_of_another_session()
    {
        using TemporaryStore elsewhere = new();
        using SnapshotSession other = SnapshotSession.Open(elsewhere.Path);
        using SnapshotSession session = SnapshotSession.Open(_store.Path);
        SnapshotInfo info = session.RequestCheckpoint(
            progress: new Told(_ => other.RequestCheckpoint().WaitCommittedInThread()))
            .WaitCommittedInThread();
        Assert.Null(info.ProgressError);
        Assert.True(other.Store.Newest!.Generation > 1);
    }

    [Fact]
    public void A_token_forgets_the_checkpoints_that_ended()
    {
        using CancellationTokenSource source = new();
        using SnapshotSession session = SnapshotSession.Open(_store.Path);
        WeakReference ended = Take(session, source.Token);
        session.RequestCheckpoint().WaitCommittedInThread();
        GC.Collect();
        Assert.False(ended.IsAlive);

        [MethodImpl(MethodImplOptions.NoInlining)]
        static WeakReference Take(SnapshotSession session, CancellationToken cancellation)
        {
            CheckpointTicket ticket = session.RequestCheckpoint(cancellation: cancellation);
            ticket.WaitCommittedInThread();
            return new WeakReference(ticket);
        }
    }

    [Fact]
    public void A_restart_from_a_directory_that_is_missing_does_not_make_it()
    {
        SnapshotException error =
            Assert.Throws<SnapshotException>(() => SnapshotSession.Restart(_store.Path));
        Assert.Equal(SnapshotErrorCode.NotFound, error.Code);
        Assert.False(Directory.Exists(_store.Path));
    }

    private sealed class Told(Action<SnapshotProgress> then) : IProgress<SnapshotProgress>
    {
        public void Report(SnapshotProgress value) => then(value);
    }
}
