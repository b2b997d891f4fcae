using System.Diagnostics;
using Snapshot.Mpi;

namespace Snapshot.Bench;

/// <summary>The newest complete copy on each level, as the job tells it to the thread that polls.</summary>
internal sealed class RankCopies : IProgress<JobCopyProgress>
{
    private readonly (long Generation, long At, long Bytes)[] _complete =
        new (long, long, long)[Enum.GetValues<JobLevel>().Length];

    internal (long Generation, long At, long Bytes) this[JobLevel level] => _complete[(int)level];

    void IProgress<JobCopyProgress>.Report(JobCopyProgress value)
    {
        if (value.Error is { } error) throw new IOException($"{value.Level}: {error.Message}", error);
        if (!value.IsComplete) return;
        _complete[(int)value.Level] =
            (value.Generation.Generation, Stopwatch.GetTimestamp(), value.BytesTotal);
    }
}
