using Snapshot.Tests.Session;
using Xunit;

namespace Snapshot.Tests.Storage;

/// <summary>Generations that somebody holds stay, whatever the policy of the store says.</summary>
public sealed class RetentionHoldTests : IDisposable
{
    private static readonly RetentionPolicy s_one = new() { KeepLast = 1, KeepPassedOver = false };

    private readonly TemporaryStore _store = new();

    public void Dispose() => _store.Dispose();

    [Fact]
    public async Task What_is_held_and_what_it_needs_is_pruned_by_nobody()
    {
        RetentionHold hold = new(2);
        using SnapshotSession session = Open(hold);
        for (int checkpoint = 1; checkpoint <= 6; checkpoint++) await session.CheckpointAsync();
        Assert.Empty(await session.Store.PruneAsync(s_one));
        Assert.Equal([1, 2, 3, 4, 5, 6], Numbers(session));
        Assert.NotNull(session.Store.Generations[3].Parent);

        // The generation at the floor is kept, although younger ones are all that the policy asks for.
        await session.Store.CompactAsync(4);
        hold.RaiseTo(4);
        Assert.Equal([1, 2, 3], (await session.Store.PruneAsync(s_one)).Select(info => info.Generation));
        Assert.Equal([4, 5, 6], Numbers(session));
        hold.RaiseTo(7);
        await session.Store.CompactAsync(6);
        Assert.Equal([4, 5], (await session.Store.PruneAsync(s_one)).Select(info => info.Generation));
    }

    [Fact]
    public async Task A_generation_that_was_passed_over_is_held_as_others_are()
    {
        RetentionHold hold = new(1);
        using (SnapshotSession session = Open(hold))
        {
            await session.CheckpointAsync();
            await session.CheckpointAsync();
        }

        using SnapshotSession older = Open(hold, new RestartOptions { Generation = 1 });
        await older.CheckpointAsync();
        Assert.Empty(await older.Store.PruneAsync(s_one));
        hold.RaiseTo(3);
        Assert.Equal([2], (await older.Store.PruneAsync(s_one)).Select(info => info.Generation));
    }

    [Fact]
    public async Task Where_what_is_held_leaves_no_room_the_checkpoint_fails_and_says_so()
    {
        RetentionHold hold = new(1);
        StoreOptions options = new()
        {
            Hold = hold,
            MaxBytes = 15L << 20,
            Retention = new RetentionPolicy { KeepLast = 1 },
        };
        using ChangingState state = new(_store.Path, options, pages: 1536, seed: 7);
        SnapshotException error = state.FillUp();
        Assert.Contains("StoreOptions.Hold keeps those from 1 on", error.Message, StringComparison.Ordinal);
        Assert.Equal(2, state.Store.Generations.Count);
        hold.RaiseTo(2);
        state.Commit();
        await state.AssertHolds(atLeast: 2);
        Assert.InRange(state.Peak, 1, options.MaxBytes.Value);
    }

    [Fact]
    public void A_floor_is_only_ever_raised()
    {
        RetentionHold hold = new();
        Assert.Equal(0, hold.Floor);
        hold.RaiseTo(5);
        hold.RaiseTo(3);
        Assert.Equal(5, hold.Floor);
        Parallel.For(0, 1000, generation => hold.RaiseTo(generation));
        Assert.Equal(999, hold.Floor);
        Assert.Throws<ArgumentOutOfRangeException>(() => new RetentionHold(-1));
    }

    private SnapshotSession Open(RetentionHold hold, RestartOptions? restart = null)
    {
        SnapshotSession session = SnapshotSession.Open(_store.Path, new SnapshotOptions
        {
            Restart = restart ?? new RestartOptions(),
            Store = new StoreOptions { Hold = hold, Retention = s_one },
        });
        session.OpenArena(
            "state", new ArenaOptions { Capacity = 8 << 20, HugePages = false, Capture = CaptureMode.Stage });
        return session;
    }

    private static IEnumerable<long> Numbers(SnapshotSession session) =>
        session.Store.Generations.Select(info => info.Generation);
}
