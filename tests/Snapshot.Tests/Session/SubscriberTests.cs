using Snapshot.Base;
using Xunit;

namespace Snapshot.Tests.Session;

/// <summary>
/// Who only wants to be told costs nobody anything: not the one who tells, and not the others.
/// </summary>
public sealed class SubscriberTests : IDisposable
{
    private readonly TemporaryStore _store = new();

    public void Dispose() => _store.Dispose();

    [Fact]
    public void A_subscriber_that_throws_on_a_participants_thread_is_told_of_and_the_others_are_called()
    {
        int told = 0;
        using SnapshotSession session = Open();
        session.HandlerFailed += (_, _) => throw new InvalidOperationException("the first subscriber");
        session.HandlerFailed += (_, _) => told++;
        session.HandlerFailed += (_, _) => throw new InvalidOperationException("the third subscriber");
        using Participant me = session.Attach("main");
        me.RegisterHandler("throws", CheckpointHandler.Create(
            _ => { }, _ => throw new InvalidOperationException("the handler")));
        SnapshotInfo info = session.RequestCheckpoint().WaitCommittedInThread();
        Assert.Equal(1, told);
        Assert.Equal(
            ["the first subscriber", "the third subscriber"],
            info.SubscriberErrors.Select(error => error.Message));
        Assert.Equal("the handler", Assert.Single(info.ResumeErrors).Exception.Message);
        Assert.Equal(2, session.RequestCheckpoint().WaitCommittedInThread().Generation);
    }

    [Fact]
    public async Task A_subscriber_that_throws_on_the_handler_thread_ends_neither_it_nor_the_process()
    {
        using CountdownEvent told = new(2);
        await using SnapshotSession session = Open();
        session.HandlerFailed += (_, _) =>
        {
            told.Signal();
            throw new InvalidOperationException("the subscriber");
        };
        session.RegisterHandler("throws", CheckpointHandler.Create(
            _ => { },
            _ => throw new InvalidOperationException("resume"),
            _ => throw new InvalidOperationException("committed")));
        SnapshotInfo first = await session.CheckpointAsync();
        Assert.True(told.Wait(TimeSpan.FromSeconds(30)));
        told.Reset();
        SnapshotInfo second = await session.CheckpointAsync();

        // Parts run beside the commit: which generation tells of which is a matter of time, that all are told
        // is not.
        Assert.True(told.Wait(TimeSpan.FromSeconds(30)));
        SnapshotInfo third = await session.CheckpointAsync();
        int all = first.SubscriberErrors.Count + second.SubscriberErrors.Count + third.SubscriberErrors.Count;
        Assert.InRange(all, 4, 6);
    }

    [Fact]
    public async Task A_subscriber_that_throws_about_a_dead_participant_does_not_fail_the_checkpoint()
    {
        await using SnapshotSession session = Open();
        session.ParticipantDied += (_, _) => throw new InvalidOperationException("the subscriber");
        Thread worker = new(() => session.Attach("dies"));
        worker.Start();
        worker.Join();
        SnapshotInfo info = await session.CheckpointAsync();
        Assert.Equal("the subscriber", Assert.Single(info.SubscriberErrors).Message);
        Assert.Empty((await session.CheckpointAsync()).SubscriberErrors);
    }

    [Fact]
    public void No_more_than_sixteen_are_kept()
    {
        Subscribers subscribers = new();
        EventHandler<string>? none = null;
        subscribers.Raise(none, this, "");
        Assert.Empty(subscribers.Take());
        for (int i = 0; i < Subscribers.KeptMax + 1; i++)
            subscribers.Guard<string>(told => throw new InvalidOperationException(told))!($"{i}");
        Assert.Equal(
            Enumerable.Range(0, Subscribers.KeptMax).Select(i => $"{i}"),
            subscribers.Take().Select(error => error.Message));
        Assert.Null(subscribers.Guard<string>(null));
    }

    private SnapshotSession Open()
    {
        SnapshotSession session = SnapshotSession.Open(_store.Path);
        session.OpenArena("a", new ArenaOptions { Capacity = 64L << 20 });
        return session;
    }
}
