using Xunit;

namespace Snapshot.Tests.Session;

/// <summary>
/// How many arenas a session may have, how large they stay, and what it costs to place them.
/// </summary>
public sealed class ArenaLimitTests : IDisposable
{
    private readonly TemporaryStore _store = new();

    public void Dispose() => _store.Dispose();

    [Fact]
    public void A_thousand_arenas_are_placed_without_reading_the_map_for_each_and_one_too_many_is_refused()
    {
        using TestProgram program =
            new("many-arenas", _store.Path, $"{SnapshotSession.MaxArenas}");
        (int exitCode, string output, string error) = program.WaitForEnd();
        Assert.True(exitCode == 0, output + error);
        string[] lines = output.Split('\n');
        Assert.Equal($"opened {SnapshotSession.MaxArenas}", lines[0]);
        Assert.InRange(
            int.Parse(lines[1].Split(' ')[2], System.Globalization.CultureInfo.InvariantCulture), 0, 4);
        Assert.Equal("committed 1", lines[2]);
        Assert.StartsWith("failed LimitReached Arena 'one more' would be one more than the 1,024", lines[3],
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void An_arena_that_is_to_be_larger_than_it_was_made_is_refused(bool isRestarted)
    {
        SnapshotSession session = SnapshotSession.Open(_store.Path);
        Arena arena = session.OpenArena("a", new ArenaOptions { Capacity = 64L << 20 });
        if (isRestarted)
        {
            session.RequestCheckpoint().WaitCommittedInThread();
            session.Dispose();
            session = SnapshotSession.Open(_store.Path);
            arena = session.OpenArena("a");
        }

        using (session)
        {
            SnapshotException error = Assert.Throws<SnapshotException>(
                () => session.OpenArena("a", new ArenaOptions { Capacity = 128L << 20 }));
            Assert.Equal(SnapshotErrorCode.LayoutMismatch, error.Code);
            Assert.Contains("67,108,864 bytes, and the program asks for 134,217,728", error.Message,
                StringComparison.Ordinal);

            // As much, less, and nothing said of it.
            Assert.Same(arena, session.OpenArena("a", new ArenaOptions { Capacity = 64L << 20 }));
            Assert.Same(arena, session.OpenArena("a", new ArenaOptions { Capacity = 32L << 20 }));
            Assert.Same(arena, session.OpenArena("a", new ArenaOptions { Capture = CaptureMode.Stage }));
        }
    }

    [Fact]
    public void A_root_without_elements_is_a_root_also_after_a_restart()
    {
        using (SnapshotSession session = SnapshotSession.Open(_store.Path))
        {
            Arena arena = session.OpenArena("a", new ArenaOptions { Capacity = 64L << 20 });
            Assert.True(arena.RootArray<double>("none", 0).IsEmpty);
            arena.RootArray<double>("some", 3)[2] = 4;
            session.RequestCheckpoint().WaitCommittedInThread();
        }

        using SnapshotSession restarted = SnapshotSession.Open(_store.Path);
        Arena restored = restarted.OpenArena("a");
        Assert.True(restored.TryGetRoot("none", out ArenaArray<double> none));
        Assert.True(none.IsEmpty && none.AsSpan().IsEmpty);
        Assert.Equal(["none", "some"], restored.Roots.Select(root => root.Name));
        Assert.Equal((0, 0), (restored.Roots[0].Count, restored.Roots[0].Bytes));
        Assert.Equal(4, restored.RootArray<double>("some", 3)[2]);
        Assert.Equal(
            SnapshotErrorCode.LayoutMismatch,
            Assert.Throws<SnapshotException>(() => restored.RootArray<double>("none", 1)).Code);
        Assert.True(restored.RemoveRoot("none"));
        Assert.Equal(1, restored.RootArray<double>("none", 1).Length);
        restarted.RequestCheckpoint().WaitCommittedInThread();
    }

    [RootFact]
    public void A_program_that_locks_its_memory_commits()
    {
        using TestProgram program = new("locked-memory", _store.Path);
        (int exitCode, string output, string error) = program.WaitForEnd();
        Assert.True(exitCode == 0, output + error);
        if (output.StartsWith("cannot lock", StringComparison.Ordinal)) return;
        Assert.Equal("committed 1 \ncommitted 2 \ncommitted 3 \n", output);
    }
}
