using System.Diagnostics;
using Snapshot.Mpi.Calls;

namespace Snapshot.Mpi.Protocol;

/// <summary>When a job must begin to end, counted from before its restart.</summary>
internal sealed class JobTime
{
    private readonly long _start = Stopwatch.GetTimestamp();
    private readonly TimeSpan? _limit;

    /// <summary>Collective.</summary>
    /// <exception cref="SnapshotException">The batch system does not answer; RankFailed.</exception>
    internal JobTime(RankGroup ranks, MpiJobOptions options)
    {
        // One asks, and what one rank wants is agreed by all: nobody has to be told.
        TimeSpan? left = !options.AsksBatchSystem ? null
            : ranks.Together(() => ranks.Rank == 0 ? BatchSystem.TimeLeft() : null);
        _limit = left < options.TimeLimit || options.TimeLimit is null ? left : options.TimeLimit;
        _limit -= options.TimeMargin;
    }

    /// <summary>Whether the time is up on this rank.</summary>
    internal bool IsUp => _limit is { } limit && Stopwatch.GetElapsedTime(_start) >= limit;
}
