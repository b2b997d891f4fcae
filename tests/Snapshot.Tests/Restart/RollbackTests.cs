using Xunit;

namespace Snapshot.Tests.Restart;

/// <summary>Which generation a restart takes, as programs and whoever starts them say it.</summary>
public sealed class RollbackTests : IDisposable
{
    private const string Variable = "SNAPSHOT_RESTART";
    private readonly string _directory = Directory.CreateTempSubdirectory("snapshot-rollback-").FullName;

    public RollbackTests()
    {
        for (int state = 1; state <= 4; state++) Advance(state);
    }

    public void Dispose()
    {
        Environment.SetEnvironmentVariable(Variable, null);
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public void A_rollback_counts_once_and_what_was_passed_over_stays_and_can_be_gone_back_to()
    {
        Choose(2);
        Assert.Equal(2, StateOfRestart());
        Assert.Equal(2, StateOfRestart());
        Assert.Equal(20, Advance(20));
        Assert.Equal([(1L, false), (2, false), (3, true), (4, true), (5, false)], Listed());
        Assert.Equal(20, StateOfRestart());

        Choose(4);
        Assert.Equal(4, StateOfRestart());
        Advance(40);
        Assert.Equal([(1L, false), (2, false), (3, true), (4, false), (5, true), (6, false)], Listed());
    }

    [Fact]
    public void An_undone_rollback_is_as_if_it_had_not_been()
    {
        Choose(2);
        Choose(null);
        Assert.Equal(4, StateOfRestart());
        Advance(5);
        Assert.All(Listed(), generation => Assert.False(generation.PassedOver));
    }

    [Fact]
    public void A_rollback_to_what_is_not_there_is_refused()
    {
        using SnapshotStore store = SnapshotStore.Open(_directory);
        Assert.Equal(
            SnapshotErrorCode.NotFound, Assert.Throws<SnapshotException>(() => store.ChooseRestart(9)).Code);
        Assert.Null(store.RestartGeneration);
    }

    [Theory]
    [InlineData("newest", 4)]
    [InlineData("Older", 2)]
    [InlineData("3", 3)]
    [InlineData("", 2)]
    public void The_variable_counts_more_than_a_rollback(string value, int expected)
    {
        Choose(2);
        Environment.SetEnvironmentVariable(Variable, value);
        Assert.Equal(expected, StateOfRestart());
        using SnapshotSession named = SnapshotSession.Open(
            _directory, Options(new RestartOptions { Generation = 1 }));
        Assert.Equal(1, named.Restarted!.Generation);
    }

    [Theory]
    [InlineData("oldest")]
    [InlineData("0")]
    [InlineData("-1")]
    [InlineData("3x")]
    public void A_variable_that_means_nothing_is_an_error_that_names_it(string value)
    {
        Environment.SetEnvironmentVariable(Variable, value);
        SnapshotException error = Assert.Throws<SnapshotException>(() => SnapshotSession.Open(_directory));
        Assert.Contains(Variable, error.Message, StringComparison.Ordinal);
        Assert.Contains(value, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_variable_that_names_a_generation_of_an_empty_store_is_an_error()
    {
        Environment.SetEnvironmentVariable(Variable, "3");
        string empty = Path.Combine(_directory, "empty");
        Assert.Equal(
            SnapshotErrorCode.NotFound,
            Assert.Throws<SnapshotException>(() => SnapshotSession.Open(empty)).Code);
        Environment.SetEnvironmentVariable(Variable, "newest");
        using SnapshotSession fresh = SnapshotSession.Open(empty);
        Assert.False(fresh.IsRestarted);
    }

    [Fact]
    public void With_older_a_missing_image_is_gone_past_and_without_it_is_an_error()
    {
        using (SnapshotStore store = SnapshotStore.OpenReadOnly(_directory))
            File.Delete(Path.Combine(_directory, store.Newest!.FileName));
        Assert.Throws<SnapshotException>(() => SnapshotSession.Open(_directory, Options()));
        Environment.SetEnvironmentVariable(Variable, "older");
        Assert.Equal(3, StateOfRestart());
    }

    [Fact]
    public async Task Pruning_keeps_what_was_passed_over_until_it_is_told_otherwise()
    {
        Choose(2);
        Advance(20);
        using SnapshotStore store = SnapshotStore.Open(_directory);
        Assert.Equal([1L], (await store.PruneAsync(new RetentionPolicy())).Select(info => info.Generation));
        Assert.Equal([(2L, false), (3, true), (4, true), (5, false)], Listed(store));
        IReadOnlyList<GenerationInfo> gone =
            await store.PruneAsync(new RetentionPolicy { KeepPassedOver = false });
        Assert.Equal([3L, 4L], gone.Select(info => info.Generation));
    }

    [Fact]
    public async Task Pruning_keeps_the_generation_that_the_next_restart_takes()
    {
        using SnapshotStore store = SnapshotStore.Open(_directory);
        store.ChooseRestart(2);
        await store.PruneAsync(new RetentionPolicy { KeepLast = 1 });
        Assert.Equal([(2L, false), (4, false)], Listed(store));
    }

    private static SnapshotOptions Options(RestartOptions? restart = null) => new()
    {
        Restart = restart ?? new RestartOptions(),
        Store = new StoreOptions { Retention = new RetentionPolicy { KeepLast = 100 } },
    };

    private void Choose(long? generation)
    {
        using SnapshotStore store = SnapshotStore.Open(_directory);
        store.ChooseRestart(generation);
    }

    private int StateOfRestart()
    {
        using SnapshotSession session = SnapshotSession.Open(_directory, Options());
        return State(session).AsSpan()[0];
    }

    /// <summary>Goes on from where a restart stands, in one full image a generation.</summary>
    private int Advance(int state)
    {
        using SnapshotSession session = SnapshotSession.Open(_directory, Options());
        State(session).AsSpan()[0] = state;
        session.CheckpointAsync().GetAwaiter().GetResult();
        long newest = session.Store.Newest!.Generation;
        session.Store.CompactAsync(newest).GetAwaiter().GetResult();
        return State(session).AsSpan()[0];
    }

    private static ArenaArray<int> State(SnapshotSession session) =>
        session.OpenArena("state", new ArenaOptions { Capacity = 8 << 20 }).RootArray<int>("state", 1000);

    private (long Generation, bool PassedOver)[] Listed()
    {
        using SnapshotStore store = SnapshotStore.OpenReadOnly(_directory);
        return Listed(store);
    }

    private static (long Generation, bool PassedOver)[] Listed(SnapshotStore store) =>
        [.. store.Generations.Select(info => (info.Generation, info.IsPassedOver))];
}
