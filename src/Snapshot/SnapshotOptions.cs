using Snapshot.Base;
using Snapshot.Interop;

namespace Snapshot;

/// <summary>How a session behaves. Immutable; each property validates what it is given.</summary>
public sealed class SnapshotOptions
{
    private const long StagingMin = 1 << 20;

    /// <summary>How the store behaves: what it keeps, and how long a chain may grow.</summary>
    /// <value>Default: see <see cref="StoreOptions"/>.</value>
    public StoreOptions Store
    {
        get;
        init
        {
            ArgumentNullException.ThrowIfNull(value);
            field = value;
        }
    } = new();

    /// <summary>How changed pages are kept as they are at the capture.</summary>
    /// <value>
    /// Default <see cref="CaptureMode.Auto"/>, or what the environment variable <c>SNAPSHOT_CAPTURE</c> says: the name
    /// of a mode. <see cref="ArenaOptions.Capture"/> overrides it for an arena.
    /// </value>
    public CaptureMode Capture { get; init => field = DefinedEnum.Checked(value); } = EnvironmentDefaults.Capture;

    /// <summary>The mechanism that tells which pages changed.</summary>
    /// <value>
    /// Default <see cref="TrackingMechanism.Auto"/>, the best one that was seen to work on this machine; or what the
    /// environment variable <c>SNAPSHOT_TRACKING</c> says: the name of a mechanism.
    /// </value>
    public TrackingMechanism Tracking { get; init => field = DefinedEnum.Checked(value); } =
        EnvironmentDefaults.Tracking;

    /// <summary>When memory is read at a restart: before the session begins, or as it is touched.</summary>
    /// <value>
    /// Default <see cref="RestartFill.Eager"/>, or what the environment variable <c>SNAPSHOT_RESTART_FILL</c> says.
    /// <see cref="RestartOptions.Fill"/> overrides it.
    /// </value>
    public RestartFill RestartFill { get; init => field = DefinedEnum.Checked(value); } =
        EnvironmentDefaults.RestartFill;

    /// <summary>How blocks of pages are encoded in an image.</summary>
    /// <value>
    /// Default <see cref="BlockEncoding.Auto"/>: what shrinks the block at hand, plain when nothing does.
    /// </value>
    public BlockEncoding Encoding { get; init => field = DefinedEnum.Checked(value); } = BlockEncoding.Auto;

    /// <summary>Threads that encode blocks during a drain.</summary>
    /// <value>Default half the processors, at least 1: the other half is the application's.</value>
    /// <exception cref="ArgumentOutOfRangeException">Less than 1 or more than 64.</exception>
    public int EncoderThreads { get; init => field = InRange(value, 1, 64); } =
        Math.Max(1, Environment.ProcessorCount / 2);

    /// <summary>
    /// Bytes a second, at most, that a checkpoint hands to the disk while it drains, so that the application's own
    /// files, or other users of the file system, keep the rest.
    /// </summary>
    /// <value>
    /// Default null: no cap. They are bytes of the image, as encoded. Pruning and compaction are not held back.
    /// </value>
    /// <exception cref="ArgumentOutOfRangeException">Less than 1 MiB.</exception>
    public long? DrainBytesPerSecond
    {
        get;
        init => field = value is { } rate ? AtLeast(rate, 1 << 20) : null;
    }

    /// <summary>
    /// Whether the library's own threads may have another priority than the application's: the drain a lower one, and
    /// those that a pause waits for a higher one where the process may take it (nice values, and a real-time priority
    /// while native threads are stopped).
    /// </summary>
    /// <value>
    /// Default true. False: they keep the priority of the thread that makes them, as a rule the process's, and the
    /// drain competes with the application.
    /// </value>
    public bool AdjustsPriorities { get; init; } = true;

    /// <summary>Bytes of memory that copies of changed pages may take.</summary>
    /// <value>
    /// Default half the native memory that the process can still have when the options are made, by the machine, its
    /// control groups, <c>ulimit</c> and <c>vm.overcommit_memory</c>, a quarter where reserving counts (the last two);
    /// the collector's limit does not count. More than 4 TiB is as 4 TiB. A checkpoint that stages more fails and loses
    /// nothing; with copy-on-write, writes to memory not yet drained wait for the drain instead.
    /// </value>
    /// <exception cref="ArgumentOutOfRangeException">Less than 1 MiB.</exception>
    public long StagingLimit { get; init => field = AtLeast(value, StagingMin); } =
        Math.Max(StagingMin, AvailableMemory.Now().ForCopies);

    /// <summary>
    /// Time from a request to the moment every participant has come, unless the request says otherwise.
    /// </summary>
    /// <value>
    /// Default 60 seconds: longer than any sensible distance between two safepoints, short enough to notice a hang.
    /// </value>
    /// <exception cref="ArgumentOutOfRangeException">Not positive.</exception>
    public TimeSpan Deadline { get; init => field = Positive(value); } = TimeSpan.FromSeconds(60);

    /// <summary>
    /// Whether participants are held until all resume parts are done, after a restart or on going on. A participant
    /// may override it.
    /// </summary>
    /// <value>Default <see cref="Gates.None"/>: locks that live in arenas order what needs order.</value>
    public Gates Gates { get; init; } = Gates.None;

    /// <summary>How long a gate stays closed after a restart before the restart has failed.</summary>
    /// <value>Default 60 seconds.</value>
    /// <exception cref="ArgumentOutOfRangeException">Not positive.</exception>
    public TimeSpan GateTimeout { get; init => field = Positive(value); } = TimeSpan.FromSeconds(60);

    private static int InRange(int value, int least, int most)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(value, least);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(value, most);
        return value;
    }

    private static long AtLeast(long value, long least)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(value, least);
        return value;
    }

    private static TimeSpan Positive(TimeSpan value)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(value, TimeSpan.Zero);
        return value;
    }
}
