using Snapshot.Storage;
using Xunit;

namespace Snapshot.Tests.Session;

/// <summary>
/// A failing store under a running session: nothing committed is lost, and the session goes on when the store
/// does.
/// </summary>
public sealed class StoreFailureTests : IDisposable
{
    private readonly TemporaryStore _store = new();

    public void Dispose() => _store.Dispose();

    [Fact]
    public async Task A_chain_that_is_compacted_while_it_is_opened_is_opened_as_it_is_then()
    {
        using FailingMedium medium = new(new DirectoryMedium(_store.Path, true));
        await using SnapshotSession session =
            SnapshotSession.Open(SnapshotStore.Open(medium, new StoreOptions()), new SnapshotOptions());
        ArenaArray<int> array = session.OpenArena("a", new ArenaOptions { Capacity = 64 << 20 })
            .RootArray<int>("array", 1 << 16);
        for (int round = 1; round <= 2; round++)
        {
            array.AsSpan().Fill(round);
            await session.CheckpointAsync();
        }

        int compactions = 0;
        medium.Opening = name =>
        {
            if (name != "0000000002.snapshot" || compactions > 0) return;
            compactions++;
            Task.Run(() => session.Store.CompactAsync(2)).Wait();
        };
        Assert.NotEmpty(StoredMemory.Read(session.Store, 2, "a"));
        Assert.Equal(1, compactions);
        Assert.Null(session.Store.Newest!.Parent);
    }

    [Theory]
    [InlineData("write", ".partial", SnapshotErrorCode.StoreIo, 2)]
    [InlineData("sync", ".partial", SnapshotErrorCode.StoreIo, 2)]
    [InlineData("write", "manifest", SnapshotErrorCode.OutcomeUnknown, 2)]
    [InlineData("sync", "manifest", SnapshotErrorCode.OutcomeUnknown, 4)]
    public async Task A_session_survives_a_failing(
        string step, string suffix, SnapshotErrorCode expected, long next)
    {
        FailingMedium medium = new(new DirectoryMedium(_store.Path, true));
        await using (SnapshotSession session = SnapshotSession.Open(
            SnapshotStore.Open(medium, new StoreOptions()), new SnapshotOptions()))
        {
            ArenaArray<long> array = session.OpenArena("a", new ArenaOptions { Capacity = 64 << 20 })
                .RootArray<long>("array", 1 << 16);
            array.AsSpan().Fill(1);
            Assert.Equal(1, (await session.CheckpointAsync()).Generation);

            array.AsSpan().Fill(2);
            medium.Fails = (which, file) => which == step && file.EndsWith(suffix, StringComparison.Ordinal);
            SnapshotException failed =
                await Assert.ThrowsAsync<SnapshotException>(() => session.CheckpointAsync());
            Assert.Equal(expected, failed.Code);

            // As long as it fails, it says so.
            Assert.Equal(
                expected,
                (await Assert.ThrowsAsync<SnapshotException>(() => session.CheckpointAsync())).Code);

            // Then it goes on. A manifest that was written but not synced turned out to hold the generation,
            // twice.
            medium.Fails = (_, _) => false;
            SnapshotInfo info = await session.CheckpointAsync();
            Assert.Equal(next, info.Generation);
            Assert.Equal(1, info.Parent);
            Assert.True(info.PagesChanged >= 128);
            Assert.All(session.Store.Generations, generation => Assert.False(generation.IsPassedOver));
        }

        await using SnapshotSession restarted = SnapshotSession.Open(_store.Path);
        Assert.False(
            restarted.OpenArena("a").RootArray<long>("array", 1 << 16).AsSpan().ContainsAnyExcept(2L));
    }
}
