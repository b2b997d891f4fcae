using System.Diagnostics;

namespace Snapshot.Mpi.Protocol;

/// <summary>When a rank wants a checkpoint without being asked: by the interval, or before the end of its
/// time.</summary>
internal sealed class JobSchedule
{
    private readonly CheckpointSchedule? _interval;
    private readonly JobTime _time;
    private long _begun;

    internal JobSchedule(MpiJobOptions options, JobTime time)
    {
        _interval = options.Interval is { } interval ? new CheckpointSchedule(interval) : null;
        _time = time;
    }

    /// <summary>Whether the time of the job is up.</summary>
    internal bool Ends => _time.IsUp;

    internal bool IsDue(long step) => _interval?.IsDue(step) ?? false;

    internal void Begin(long step)
    {
        _begun = Stopwatch.GetTimestamp();
        _interval?.Begin(step);
    }

    /// <param name="felt">The time that the checkpoint took from the program.</param>
    internal void End(TimeSpan felt) => _interval?.End(felt, Stopwatch.GetElapsedTime(_begun));
}
