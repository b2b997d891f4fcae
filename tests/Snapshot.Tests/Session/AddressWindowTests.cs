using System.Globalization;
using Snapshot.Base;
using Snapshot.Memory;
using Snapshot.TestPrograms;
using Xunit;

namespace Snapshot.Tests.Session;

/// <summary>Sessions that were made in processes of their own are restored together in one.</summary>
public sealed class AddressWindowTests : IDisposable
{
    private const long GiB = 1L << 30;

    // Above what other tests of this process have mapped.
    private const int First = 700;

    private readonly TemporaryStore _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Sessions_of_four_processes_are_restored_run_and_checkpointed_in_one()
    {
        int[] ranks = [0, 1, 2, 3];
        TestProgram[] made = [.. ranks.Select(rank => Make(rank, First + rank))];
        foreach (int rank in ranks)
        {
            using TestProgram program = made[rank];
            (int exitCode, string output, string error) = program.WaitForEnd();
            Assert.True(exitCode == 0, error);
            AddressWindow window = new(First + rank);
            foreach (string line in output.Split('\n', StringSplitOptions.RemoveEmptyEntries))
                Assert.InRange(ulong.Parse(line, CultureInfo.InvariantCulture), window.Begin, window.End);
        }

        for (int round = 0; round < 2; round++)
        {
            SnapshotSession[] sessions = [.. ranks.Select(rank => SnapshotSession.Restart(Store(rank)))];
            using SessionsCloser closer = new(sessions);
            Parallel.ForEach(
                ranks, new ParallelOptions { MaxDegreeOfParallelism = ranks.Length },
                rank => GoOn(sessions[rank], rank, round));
        }
    }

    [Fact]
    public void Sessions_of_one_window_are_refused_together()
    {
        foreach (int rank in new[] { 0, 1 })
        {
            using TestProgram program = Make(rank, First);
            Assert.Equal(0, program.WaitForEnd().ExitCode);
        }

        using SnapshotSession first = SnapshotSession.Restart(Store(0));
        SnapshotException error =
            Assert.Throws<SnapshotException>(() => SnapshotSession.Restart(Store(1)));
        Assert.Equal(SnapshotErrorCode.AddressTaken, error.Code);
    }

    [Fact]
    public void Arenas_fill_the_window_and_one_that_does_not_fit_is_told_of_it()
    {
        AddressWindow window = new(First + 10);
        SnapshotOptions options = new() { AddressWindow = window };
        using (SnapshotSession session = SnapshotSession.Create(Store(0), options))
        {
            // Who asks for no capacity gets half of what is left.
            Assert.Equal(63 * GiB / 2, session.OpenArena("half").Capacity);
            Arena second = session.OpenArena("quarter");
            Assert.InRange(second.Capacity, 15 * GiB, 16 * GiB);
            Arena third = session.OpenArena("asked", new ArenaOptions { Capacity = 10 * GiB });
            Assert.All(session.Arenas, arena => Assert.InRange(
                (ulong)arena.BaseAddress, window.Begin, window.End - (ulong)(arena.Capacity + GiB)));
            SnapshotException error = Assert.Throws<SnapshotException>(
                () => session.OpenArena("much", new ArenaOptions { Capacity = 10 * GiB }));
            Assert.Equal(SnapshotErrorCode.AddressTaken, error.Code);
            Assert.Contains($"AddressWindow {window.Index}, 0x{window.Begin:x}", error.Message,
                StringComparison.Ordinal);
            Assert.Equal(3, session.Arenas.Count);
            third.RootArray<int>("root", 1)[0] = 3;
            session.RequestCheckpoint().WaitCommittedInThread();
        }

        // What is restored lies where it was, also in a session with another window.
        using SnapshotSession moved =
            SnapshotSession.Open(Store(0), new SnapshotOptions { AddressWindow = new(First + 11) });
        Assert.Equal(3, moved.OpenArena("asked").RootArray<int>("root", 1)[0]);
        Assert.InRange((ulong)moved.OpenArena("asked").BaseAddress, window.Begin, window.End);
        Assert.Equal(window.End, (ulong)moved.OpenArena("new").BaseAddress);
    }

    [Fact]
    public void Windows_of_one_size_fill_the_range_of_arenas_and_no_others_are_taken()
    {
        Assert.Equal(AddressSpace.LowestBase, new AddressWindow(0).Begin);
        Assert.Equal(AddressSpace.HighestEnd, Taken(847, 64 * GiB).End);
        Assert.Equal(Taken(846, 64 * GiB).End, Taken(847, 64 * GiB).Begin);
        (int index, long bytes) = Taken(0, 53L << 40);
        Assert.Equal((0, 53L << 40), (index, bytes));
        Assert.Equal(64 * GiB, new AddressWindow(0).Bytes);
        Refused(-1, 64 * GiB);
        Refused(848, 64 * GiB);
        Refused(1, 53L << 40);
        Refused(0, (53L << 40) + Pages.HugeSize);
        Refused(0, 2 * GiB - Pages.HugeSize);
        Refused(0, 2 * GiB + 4096);
        Assert.Throws<ArgumentOutOfRangeException>(
            () => new SnapshotOptions { AddressWindow = default(AddressWindow) });

        static AddressWindow Taken(int index, long bytes) =>
            new SnapshotOptions { AddressWindow = new AddressWindow(index, bytes) }.AddressWindow!.Value;
        static void Refused(int index, long bytes) =>
            Assert.Throws<ArgumentOutOfRangeException>(() => Taken(index, bytes));
    }

    private TestProgram Make(int rank, int index) =>
        new("windowed", Store(rank), index.ToString(CultureInfo.InvariantCulture));

    private string Store(int rank) => Path.Combine(_folder.Path, $"rank {rank}");

    /// <summary>Computes a step in each arena, and commits it; the next round finds it.</summary>
    private static void GoOn(SnapshotSession session, int rank, int round)
    {
        using Participant me = session.Attach("rank");
        using WindowedSession.Counter counter = new(session);
        Assert.Equal(round + 1, session.Restarted!.Generation);
        foreach (string name in new[] { "first", "second" })
        {
            Span<long> cells =
                session.OpenArena(name).RootArray<long>("cells", WindowedSession.Cells).AsSpan();
            for (int cell = 0; cell < cells.Length; cell++)
            {
                Assert.Equal(((long)(First + rank) << 32) + cell + round, cells[cell]);
                cells[cell]++;
            }
        }

        session.RequestCheckpoint().WaitCommittedInThread();
    }

    /// <summary>Closes all sessions.</summary>
    private sealed class SessionsCloser(SnapshotSession[] sessions) : IDisposable
    {
        public void Dispose()
        {
            foreach (SnapshotSession session in sessions) session.Dispose();
        }
    }
}
