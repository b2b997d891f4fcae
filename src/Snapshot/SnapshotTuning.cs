using Snapshot.Base;
using Snapshot.Interop;

namespace Snapshot;

/// <summary>
/// What changes how fast a session is and how much memory it takes, and nothing else. Immutable; each
/// property validates what it is given.
/// </summary>
public sealed class SnapshotTuning
{
    private const long StagingMin = 1 << 20;

    /// <summary>The mechanism that tells which pages changed.</summary>
    /// <value>
    /// Default <see cref="TrackingMechanism.Auto"/>, the best one that was seen to work on this machine; or
    /// what the environment variable <c>SNAPSHOT_TRACKING</c> says: the name of a mechanism.
    /// </value>
    public TrackingMechanism Tracking { get; init => field = OptionValue.Defined(value); } =
        EnvironmentDefaults.Tracking;

    /// <summary>Threads that encode blocks during a drain.</summary>
    /// <value>Default half the processors, at least 1: the other half is the application's.</value>
    /// <exception cref="ArgumentOutOfRangeException">Less than 1 or more than 64.</exception>
    public int EncoderThreads { get; init => field = OptionValue.InRange(value, 1, 64); } =
        Math.Max(1, Environment.ProcessorCount / 2);

    /// <summary>Bytes of memory that copies of changed pages may take.</summary>
    /// <value>
    /// Default half the native memory that the process can still have when the options are made, by the
    /// machine, its control groups, <c>ulimit</c> and <c>vm.overcommit_memory</c>, a quarter where reserving
    /// counts (the last two); the collector's limit does not count. More than 4 TiB is as 4 TiB. A checkpoint
    /// that stages more fails and loses nothing; with copy-on-write, writes to memory not yet drained wait
    /// for the drain instead.
    /// </value>
    /// <exception cref="ArgumentOutOfRangeException">Less than 1 MiB.</exception>
    public long StagingLimit { get; init => field = OptionValue.AtLeast(value, StagingMin); } =
        Math.Max(StagingMin, AvailableMemory.Now().ForCopies);

    /// <summary>
    /// The most bytes a second that a drain writes, so that the program's own files, or other users of the
    /// file system, keep the rest of the disk.
    /// </summary>
    /// <value>
    /// Default null: no cap. They are bytes of the image, as encoded. Pruning and compaction are not held
    /// back.
    /// </value>
    /// <exception cref="ArgumentOutOfRangeException">Less than 1 MiB.</exception>
    public long? DrainBytesPerSecond
    {
        get;
        init => field = value is { } rate ? OptionValue.AtLeast(rate, 1 << 20) : null;
    }

    /// <summary>Whether the session writes and reads images past the page cache (direct I/O).</summary>
    /// <value>
    /// Default true, because it is several times as fast as writing and syncing. A file system that refuses
    /// it gets buffered writes, and <see cref="SnapshotInfo.DirectIo"/> says so.
    /// </value>
    public bool DirectIo { get; init; } = true;

    /// <summary>
    /// Whether the session changes the priority of its own threads. The drain gets a lower one. Threads that
    /// a pause waits for get a higher one if the process may take it (nice values, and a real-time priority
    /// while native threads are stopped).
    /// </summary>
    /// <value>
    /// Default true. If false, they keep the priority of the thread that makes them, as a rule that of the
    /// process, and the drain competes with the program for processors.
    /// </value>
    public bool AdjustsPriorities { get; init; } = true;
}
