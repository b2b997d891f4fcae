using Snapshot.Tests.Session;
using Xunit;

namespace Snapshot.Tests.Restart;

/// <summary>A program names its generations, and goes on from the one it names.</summary>
public sealed class TagRestartTests : IDisposable
{
    private const string Variable = "SNAPSHOT_RESTART";
    private readonly TemporaryStore _store = new();

    public TagRestartTests()
    {
        using SnapshotSession session = SnapshotSession.Create(_store.Path, Options());
        ArenaArray<int> state = State(session);
        foreach ((int value, string? tag) in new[] { (1, "heat 1"), (2, "heat 2"), (3, "heat 1"), (4, null) })
        {
            state.AsSpan()[0] = value;
            session.CheckpointAsync(new CheckpointOptions { Tag = tag }).GetAwaiter().GetResult();
        }
    }

    public void Dispose()
    {
        Environment.SetEnvironmentVariable(Variable, null);
        _store.Dispose();
    }

    [Theory]
    [InlineData("heat 2", 2)]
    [InlineData("heat 1", 3)]
    public void A_restart_takes_the_newest_generation_with_the_tag(string tag, int expected)
    {
        using SnapshotSession session = SnapshotSession.Restart(
            _store.Path, Options(new RestartOptions { Tag = tag }));
        Assert.Equal((expected, tag), (session.Restarted!.Generation, session.Restarted.Tag));
        Assert.Equal(expected, State(session).AsSpan()[0]);
    }

    [Fact]
    public void A_restart_from_a_generation_without_a_tag_says_so()
    {
        using SnapshotSession session = SnapshotSession.Open(_store.Path, Options());
        Assert.Equal((4, null), (session.Restarted!.Generation, session.Restarted.Tag));
    }

    [Fact]
    public void A_tag_that_is_not_there_is_an_error_that_names_those_that_are()
    {
        SnapshotException error = Assert.Throws<SnapshotException>(
            () => SnapshotSession.Open(_store.Path, Options(new RestartOptions { Tag = "heat 3" })));
        Assert.Equal(SnapshotErrorCode.NotFound, error.Code);
        Assert.Contains("'heat 1', 'heat 2'", error.Message, StringComparison.Ordinal);
        using TemporaryStore empty = new();
        Assert.Equal(
            SnapshotErrorCode.NotFound,
            Assert.Throws<SnapshotException>(
                () => SnapshotSession.Open(empty.Path, Options(new RestartOptions { Tag = "heat 3" }))).Code);
    }

    [Fact]
    public void The_variable_names_a_tag_and_the_program_counts_more()
    {
        Environment.SetEnvironmentVariable(Variable, "tag=heat 2");
        using (SnapshotSession session = SnapshotSession.Open(_store.Path, Options()))
            Assert.Equal(2, session.Restarted!.Generation);
        using SnapshotSession named = SnapshotSession.Open(
            _store.Path, Options(new RestartOptions { Tag = "heat 1" }));
        Assert.Equal(3, named.Restarted!.Generation);
    }

    [Fact]
    public void A_variable_without_a_tag_is_an_error_that_names_it()
    {
        Environment.SetEnvironmentVariable(Variable, "tag=");
        SnapshotException error = Assert.Throws<SnapshotException>(
            () => SnapshotSession.Open(_store.Path, Options()));
        Assert.Contains($"{Variable} is 'tag='", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("two\nlines")]
    [InlineData("\u001b[31m")]
    [InlineData("\u0085")]
    public void What_cannot_be_a_tag_is_refused_when_it_is_given(string tag)
    {
        Assert.Throws<ArgumentException>(() => new CheckpointOptions { Tag = tag });
        Assert.Throws<ArgumentException>(() => new RestartOptions { Tag = tag });
    }

    [Fact]
    public void A_tag_has_255_bytes_at_most()
    {
        Assert.Equal(255, new CheckpointOptions { Tag = new string('x', 255) }.Tag!.Length);
        Assert.Throws<ArgumentException>(() => new CheckpointOptions { Tag = new string('x', 256) });
        Assert.Throws<ArgumentException>(() => new CheckpointOptions { Tag = new string('é', 128) });
        Assert.Throws<ArgumentException>(() => new CheckpointOptions { Tag = new string('\ud800', 1) });
    }

    [Fact]
    public void A_restart_is_from_a_generation_or_from_a_tag()
    {
        Assert.Throws<ArgumentException>(() => new RestartOptions { Generation = 1, Tag = "a" });
        Assert.Throws<ArgumentException>(() => new RestartOptions { Tag = "a", Generation = 1 });
        Assert.Equal("a", new RestartOptions { Generation = null, Tag = "a" }.Tag);
    }

    private static SnapshotOptions Options(RestartOptions? restart = null) => new()
    {
        Restart = restart ?? new RestartOptions(),
        Store = new StoreOptions { Retention = new RetentionPolicy { KeepLast = 100 } },
    };

    private static ArenaArray<int> State(SnapshotSession session) =>
        session.OpenArena("state", new ArenaOptions { Capacity = 8 << 20 }).RootArray<int>("state", 1000);
}
