using Snapshot.Mpi;

namespace Snapshot.Bench;

/// <summary>
/// The state of a rank and its steps: each changes a part of it, and exchanges halos with both neighbours.
/// </summary>
internal sealed class RankState
{
    private const int StepsOfAll = 50, HaloCells = 512;

    private readonly MpiJob _job;
    private readonly TimeSpan _wait;
    private readonly Arena _arena;
    private readonly ArenaArray<double> _cells;
    private readonly double[] _sent = new double[HaloCells];
    private readonly double[] _received = new double[HaloCells];

    /// <param name="job">Of which this is a rank.</param>
    /// <param name="bytes">Of its state.</param>
    /// <param name="wait">What each step sleeps.</param>
    internal RankState(MpiJob job, long bytes, TimeSpan wait)
    {
        (_job, _wait) = (job, wait);
        ArenaOptions options = new() { Capacity = bytes + (bytes / 8) + (64L << 20) };
        _arena = job.Session.OpenArena("state", options);
        _cells = _arena.RootArray<double>("cells", bytes / sizeof(double));
    }

    internal ref long Steps => ref _arena.Root<long>("steps");

    /// <summary>Steps after which each page has been written.</summary>
    internal static int StepsThatWriteAll => StepsOfAll;

    internal void Step()
    {
        long step = Steps;
        Span<double> cells = _cells.AsSpan();
        int part = cells.Length / StepsOfAll;
        foreach (ref double cell in cells.Slice((int)(step % StepsOfAll) * part, part))
            cell = cell * 0.5 + step;
        Communicator ranks = _job.Communicator;
        int next = (ranks.Rank + 1) % ranks.Size, before = (ranks.Rank + ranks.Size - 1) % ranks.Size;
        if (ranks.Size > 1)
        {
            ranks.Exchange<double>(_sent, next, _received, before);
            ranks.Exchange<double>(_sent, before, _received, next);
        }

        if (_wait > TimeSpan.Zero) Thread.Sleep(_wait);
        Steps = step + 1;
        _job.Poll(step + 1);
    }
}
