using Xunit;

namespace Snapshot.Tests.Session;

/// <summary>A program that starts fresh in a store leaves its older generations what they are.</summary>
public sealed class StartOverTests : IDisposable
{
    private const int Old = 100;
    private readonly TemporaryStore _store = new();

    /// <summary>Generations 1 to 3, of which the last two are increments.</summary>
    public StartOverTests()
    {
        using SnapshotSession session = SnapshotSession.Create(_store.Path, Keeping(100));
        for (int step = 1; step <= 3; step++) Commit(session, Old + step);
    }

    public void Dispose() => _store.Dispose();

    [Fact]
    public async Task It_begins_with_a_full_image_of_the_next_number_and_the_older_ones_can_be_restarted_from()
    {
        using (SnapshotSession session = SnapshotSession.StartOver(_store.Path, Keeping(100)))
        {
            Assert.False(session.IsRestarted);
            Assert.Empty(session.Arenas);
            Assert.Equal(0, State(session)[0]);
            Assert.Equal((4, null), Numbers(Commit(session, 1)));
            Assert.Equal((5, 4), Numbers(Commit(session, 2)));
            Assert.Equal([(1L, false), (2, false), (3, false), (4, false), (5, false)], Listed());
            Assert.True((await session.Store.VerifyAsync()).IsIntact);
        }

        Assert.Equal(2, Restarted(null));
        Assert.Equal(Old + 3, Restarted(3));
        Assert.Equal(1, Restarted(4));
    }

    [Fact]
    public void In_a_store_without_generations_it_is_a_start_like_any_other()
    {
        using TemporaryStore empty = new();
        using SnapshotSession session = SnapshotSession.StartOver(empty.Path, Keeping(2));
        Assert.Equal((1, null), Numbers(Commit(session, 1)));
    }

    [Fact]
    public void What_a_restart_is_told_does_not_count()
    {
        using SnapshotSession session = SnapshotSession.StartOver(
            _store.Path, Keeping(100, new RestartOptions { Generation = 9 }));
        Assert.False(session.IsRestarted);
    }

    [Fact]
    public void Without_a_checkpoint_it_leaves_no_trace()
    {
        using (SnapshotSession session = SnapshotSession.StartOver(_store.Path, Keeping(1)))
            State(session)[0] = 1;
        Assert.Equal([(1L, false), (2, false), (3, false)], Listed());
        Assert.Equal(Old + 3, Restarted(null));
    }

    [Fact]
    public void After_a_checkpoint_that_was_cancelled_the_next_one_is_full()
    {
        using SnapshotSession session = SnapshotSession.StartOver(_store.Path, Keeping(100));
        State(session)[0] = 1;
        using (HeldDrain held = new())
        {
            CheckpointTicket ticket = held.Request(session);
            ticket.Cancel();
            held.LetGo();
            Assert.ThrowsAny<OperationCanceledException>(ticket.WaitCommittedInThread);
        }

        Assert.Equal([(1L, false), (2, false), (3, false)], Listed());
        Assert.Equal((4, null), Numbers(Commit(session, 2)));
    }

    [Fact]
    public async Task Retention_counts_the_older_generations_as_the_older_ones_and_nothing_else_takes_them()
    {
        SnapshotOptions options = Keeping(2);
        using SnapshotSession session = SnapshotSession.StartOver(_store.Path, options);
        await session.Store.PruneAsync(options.Store.Retention);

        // Generation 3 is one of the last two until the second checkpoint is committed, and needs the others.
        Assert.Equal([1L, 2, 3], Numbers());
        Commit(session, 1);
        await session.Store.PruneAsync(options.Store.Retention);
        Assert.Equal([1L, 2, 3, 4], Numbers());
        Commit(session, 2);
        await session.Store.PruneAsync(options.Store.Retention);
        Assert.Equal([4L, 5], Numbers());
    }

    [Fact]
    public async Task Pruning_beside_its_first_checkpoint_keeps_the_newest_of_the_older_generations()
    {
        using SnapshotSession session = SnapshotSession.StartOver(_store.Path, Keeping(1));
        State(session)[0] = 1;
        using HeldDrain held = new();
        CheckpointTicket ticket = held.Request(session);
        await session.Store.PruneAsync(new RetentionPolicy { KeepLast = 1 });
        Assert.Equal([1L, 2, 3], Numbers());
        held.LetGo();
        Assert.Equal((4, null), Numbers(ticket.WaitCommittedInThread()));
        await session.Store.PruneAsync(new RetentionPolicy { KeepLast = 1 });
        Assert.Equal([4L], Numbers());
        Assert.True((await session.Store.VerifyAsync()).IsIntact);
    }

    [Fact]
    public async Task An_older_generation_is_compacted_beside_its_first_checkpoint()
    {
        using (SnapshotSession session = SnapshotSession.StartOver(_store.Path, Keeping(100)))
        {
            State(session)[0] = 1;
            using HeldDrain held = new();
            CheckpointTicket ticket = held.Request(session);
            Assert.Equal(GenerationKind.Full, (await session.Store.CompactAsync(3)).Kind);
            held.LetGo();
            ticket.WaitCommittedInThread();
            await session.Store.PruneAsync(new RetentionPolicy { KeepLast = 2 });
            Assert.Equal([3L, 4], Numbers());
            Assert.True((await session.Store.VerifyAsync()).IsIntact);
        }

        Assert.Equal(Old + 3, Restarted(3));
        Assert.Equal(1, Restarted(null));
    }

    [Fact]
    public async Task A_chain_of_its_own_is_compacted_and_the_older_chain_is_not()
    {
        using SnapshotSession session = SnapshotSession.StartOver(_store.Path, Keeping(100));
        for (int step = 1; step <= 3; step++) Commit(session, step);
        await session.Store.CompactAsync(6);
        Assert.Equal(
            [null, 1L, 2, null, 4, null], session.Store.Generations.Select(info => info.Parent));
        Assert.Equal((7, 6), Numbers(Commit(session, 4)));
        Assert.True((await session.Store.VerifyAsync()).IsIntact);
    }

    [Fact]
    public void A_second_opener_is_refused_and_a_reader_sees_what_is_committed()
    {
        using SnapshotSession session = SnapshotSession.StartOver(_store.Path, Keeping(100));
        foreach (Func<SnapshotSession> open in new Func<SnapshotSession>[]
        {
            () => SnapshotSession.StartOver(_store.Path), () => SnapshotSession.Open(_store.Path),
        })
            Assert.Equal(SnapshotErrorCode.StoreBusy, Assert.Throws<SnapshotException>(open).Code);
        Assert.Equal([1L, 2, 3], Numbers());
        using HeldDrain held = new();
        State(session)[0] = 1;
        CheckpointTicket ticket = held.Request(session);
        Assert.Equal([1L, 2, 3], Numbers());
        held.LetGo();
        ticket.WaitCommittedInThread();
        Assert.Equal([1L, 2, 3, 4], Numbers());
    }

    [Fact]
    public void Its_first_commit_clears_a_rollback_and_not_before()
    {
        using (SnapshotStore store = SnapshotStore.Open(_store.Path)) store.ChooseRestart(2);
        SnapshotSession.StartOver(_store.Path, Keeping(1)).Dispose();
        Assert.Equal(Old + 2, Restarted(null));
        using (SnapshotSession session = SnapshotSession.StartOver(_store.Path, Keeping(100)))
        {
            Assert.False(session.IsRestarted);
            Commit(session, 1);
        }

        Assert.Equal(1, Restarted(null));
        Assert.All(Listed(), generation => Assert.False(generation.PassedOver));
    }

    [Fact]
    public void Whoever_goes_on_from_an_older_generation_passes_it_over()
    {
        using (SnapshotSession session = SnapshotSession.StartOver(_store.Path, Keeping(100)))
            Commit(session, 1);
        using (SnapshotSession session = SnapshotSession.Restart(
            _store.Path, Keeping(100, new RestartOptions { Generation = 3 })))
            Assert.Equal((5, 3), Numbers(Commit(session, 2)));
        Assert.Equal([(1L, false), (2, false), (3, false), (4, true), (5, false)], Listed());
    }

    private static SnapshotOptions Keeping(int last, RestartOptions? restart = null) => new()
    {
        Restart = restart ?? new RestartOptions(),
        Store = new StoreOptions
        {
            Retention = new RetentionPolicy { KeepLast = last },
            MaxStateMultiple = 1000, // else so many are kept as full images
        },
    };

    private static ArenaArray<int> State(SnapshotSession session) =>
        session.OpenArena("state", new ArenaOptions { Capacity = 8 << 20 }).RootArray<int>("state", 100_000);

    /// <summary>Much that stays as it is, so that increments are small, and one number that changes.</summary>
    private static SnapshotInfo Commit(SnapshotSession session, int state)
    {
        ArenaArray<int> all = State(session);
        if (all[all.Length - 1] == 0)
        {
            Random noise = new(1);
            for (int i = 1; i < all.Length; i++) all[i] = noise.Next(1, int.MaxValue);
        }

        all[0] = state;
        return session.RequestCheckpoint().WaitCommittedInThread();
    }

    private static (long Generation, long? Parent) Numbers(SnapshotInfo info) =>
        (info.Generation, info.Parent);

    private int Restarted(long? generation)
    {
        using SnapshotSession session = SnapshotSession.Restart(
            _store.Path, Keeping(100, new RestartOptions { Generation = generation }));
        return State(session)[0];
    }

    private long[] Numbers() => [.. Listed().Select(info => info.Generation)];

    private (long Generation, bool PassedOver)[] Listed()
    {
        using SnapshotStore store = SnapshotStore.OpenReadOnly(_store.Path);
        return [.. store.Generations.Select(info => (info.Generation, info.IsPassedOver))];
    }
}
