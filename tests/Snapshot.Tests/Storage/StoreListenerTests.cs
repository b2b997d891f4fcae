using Xunit;

namespace Snapshot.Tests.Storage;

/// <summary>A progress callback that throws is told so when the work it watched is done.</summary>
public sealed class StoreListenerTests
{
    [Fact]
    public async Task Work_on_a_store_is_done_though_its_callback_throws()
    {
        CrashMedium medium = new();
        StoreScript script = new(1);
        using SnapshotStore store = SnapshotStore.Open(medium, new StoreOptions());
        script.Commit(store, full: true);
        script.Commit(store, full: false);
        script.Commit(store, full: false);
        Throwing verifying = new(), compacting = new(), pruning = new();
        await verifying.ThrownBy(progress => store.VerifyAsync(progress: progress));
        await compacting.ThrownBy(progress => store.CompactAsync(3, progress));
        Assert.Null(store.Newest!.Parent);
        await pruning.ThrownBy(progress => store.PruneAsync(new RetentionPolicy { KeepLast = 1 }, progress));
        Assert.Equal(3, Assert.Single(store.Generations).Generation);
        Assert.Single(medium.Names, name => name.EndsWith(".snapshot", StringComparison.Ordinal));
        Assert.True((await store.VerifyAsync()).IsIntact);
    }

    /// <summary>What damage throws as well is not taken for damage.</summary>
    private sealed class Throwing : IProgress<StoreProgress>
    {
        private readonly SnapshotException _error = new(SnapshotErrorCode.Corrupt, "the callback");
        private int _calls;

        public void Report(StoreProgress value)
        {
            _calls++;
            throw _error;
        }

        internal async Task ThrownBy<T>(Func<IProgress<StoreProgress>, Task<T>> work)
        {
            Assert.Same(_error, await Assert.ThrowsAsync<SnapshotException>(() => work(this)));
            Assert.Equal(1, _calls);
        }
    }
}
