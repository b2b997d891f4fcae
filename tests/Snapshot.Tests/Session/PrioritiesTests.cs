using Snapshot.Tests.Interop;
using Xunit;

namespace Snapshot.Tests.Session;

/// <summary>Who wants no thread to have another priority than the program gets that.</summary>
public sealed class PrioritiesTests : IDisposable
{
    private readonly TemporaryStore _store = new();

    public void Dispose() => _store.Dispose();

    [Fact]
    public void Threads_of_the_library_keep_the_priority_of_the_process_where_that_is_asked_for()
    {
        // A thread begins with what its maker has, which for a thread of the pool may be anything.
        int expected = ThreadNice.Here();
        using SnapshotSession session =
            SnapshotSession.Open(
                _store.Path,
                new SnapshotOptions { Tuning = new SnapshotTuning { AdjustsPriorities = false } });
        ArenaArray<long> cells = session
            .OpenArena("a", new ArenaOptions { Capacity = 256L << 20 }).RootArray<long>("cells", 16 << 20);
        cells.AsSpan().Fill(1);
        Looking looking = new();
        Assert.Null(session.RequestCheckpoint(progress: looking).WaitCommittedInThread().ProgressError);

        Assert.Equal(
            [("snapshot checkp", expected), ("snapshot drain", expected)], looking.Seen.Distinct().Order());
    }

    /// <summary>Looks at each thread that reports.</summary>
    private sealed class Looking : IProgress<SnapshotProgress>
    {
        /// <summary>Name, of which the kernel keeps 15 characters, and nice value.</summary>
        internal List<(string Name, int Nice)> Seen { get; } = [];

        public void Report(SnapshotProgress value) =>
            Seen.Add((File.ReadAllText("/proc/thread-self/comm").TrimEnd(), ThreadNice.Here()));
    }
}
