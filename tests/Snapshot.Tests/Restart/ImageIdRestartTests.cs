using Snapshot.Tests.Session;
using Xunit;

namespace Snapshot.Tests.Restart;

/// <summary>A program goes on from the state whose id it noted, whatever number that has.</summary>
public sealed class ImageIdRestartTests : IDisposable
{
    private readonly TemporaryStore _store = new();
    private readonly GenerationInfo[] _all;

    public ImageIdRestartTests()
    {
        using SnapshotSession session = SnapshotSession.Create(_store.Path, Options());
        ArenaArray<int> state = State(session);
        for (int value = 1; value <= 3; value++)
        {
            state.AsSpan()[0] = value;
            session.CheckpointAsync().GetAwaiter().GetResult();
        }

        _all = [.. session.Store.Generations];
    }

    public void Dispose() => _store.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void A_restart_takes_the_image_with_the_id(int generation)
    {
        using SnapshotSession session = Restart(_all[generation - 1].ImageId);
        Assert.Equal(generation, session.Restarted!.Generation);
        Assert.Equal(generation, State(session).AsSpan()[0]);
    }

    [Fact]
    public async Task What_was_passed_over_or_compacted_is_found()
    {
        using (SnapshotSession older = Restart(_all[0].ImageId)) await older.CheckpointAsync();
        using (SnapshotStore store = SnapshotStore.Open(_store.Path))
        {
            Assert.True(store.Generations[2].IsPassedOver);
            GenerationInfo compacted = await store.CompactAsync(3);
            Assert.Equal(_all[2].ImageId, compacted.ImageId);
            Assert.NotEqual(_all[2].FileName, compacted.FileName);
        }

        using SnapshotSession session = Restart(_all[2].ImageId);
        Assert.Equal((3, 3), (session.Restarted!.Generation, State(session).AsSpan()[0]));
    }

    [Fact]
    public void An_id_that_is_not_there_is_an_error_that_names_those_that_are()
    {
        Guid unknown = Guid.NewGuid();
        SnapshotException error = Assert.Throws<SnapshotException>(() => Restart(unknown));
        Assert.Equal(SnapshotErrorCode.NotFound, error.Code);
        Assert.Contains($"{unknown}", error.Message, StringComparison.Ordinal);
        Assert.Contains(
            $"{_all[2].ImageId} (generation 3), {_all[1].ImageId} (generation 2)", error.Message,
            StringComparison.Ordinal);
        using TemporaryStore empty = new();
        Assert.Equal(
            SnapshotErrorCode.NotFound,
            Assert.Throws<SnapshotException>(
                () => SnapshotSession.Open(empty.Path, Options(new RestartOptions { ImageId = unknown })))
                .Code);
    }

    [Fact]
    public void A_damaged_image_is_an_error_unless_older_ones_are_allowed()
    {
        string file = Path.Combine(_store.Path, _all[1].FileName);
        byte[] bytes = File.ReadAllBytes(file);
        Array.Clear(bytes, 0, 4096);
        File.WriteAllBytes(file, bytes);
        Assert.Equal(
            SnapshotErrorCode.Corrupt,
            Assert.Throws<SnapshotException>(() => Restart(_all[1].ImageId)).Code);
        using SnapshotSession session = SnapshotSession.Open(
            _store.Path,
            Options(new RestartOptions { ImageId = _all[1].ImageId, AllowOlderGeneration = true }));
        Assert.Equal((1, 1), (session.Restarted!.Generation, State(session).AsSpan()[0]));
    }

    [Fact]
    public void The_program_counts_more_than_the_variable()
    {
        Environment.SetEnvironmentVariable("SNAPSHOT_RESTART", "1");
        try
        {
            using SnapshotSession session = Restart(_all[1].ImageId);
            Assert.Equal(2, session.Restarted!.Generation);
        }
        finally
        {
            Environment.SetEnvironmentVariable("SNAPSHOT_RESTART", null);
        }
    }

    [Fact]
    public void A_restart_is_from_an_id_or_from_something_else()
    {
        Guid id = Guid.NewGuid();
        Assert.Throws<ArgumentException>(() => new RestartOptions { Generation = 1, ImageId = id });
        Assert.Throws<ArgumentException>(() => new RestartOptions { ImageId = id, Generation = 1 });
        Assert.Throws<ArgumentException>(() => new RestartOptions { Tag = "a", ImageId = id });
        Assert.Throws<ArgumentException>(() => new RestartOptions { ImageId = id, Tag = "a" });
        Assert.Equal(id, new RestartOptions { Generation = null, Tag = null, ImageId = id }.ImageId);
    }

    private SnapshotSession Restart(Guid id) =>
        SnapshotSession.Restart(_store.Path, Options(new RestartOptions { ImageId = id }));

    private static SnapshotOptions Options(RestartOptions? restart = null) => new()
    {
        Restart = restart ?? new RestartOptions(),
        Store = new StoreOptions { Retention = new RetentionPolicy { KeepLast = 100 } },
    };

    /// <summary>Captured so that what is written is known page by page: images are increments.</summary>
    private static ArenaArray<int> State(SnapshotSession session)
    {
        ArenaOptions options = new() { Capacity = 8 << 20, HugePages = false, Capture = CaptureMode.Stage };
        return session.OpenArena("state", options).RootArray<int>("state", 1000);
    }
}
