using Snapshot.Base;
using Snapshot.Mpi.Protocol;

namespace Snapshot.Mpi;

/// <summary>How a job behaves. All ranks give the same.</summary>
public sealed class MpiJobOptions
{
    /// <summary>
    /// The session of each rank. The job decides what it restarts from and which of its generations stay, and
    /// places its arenas in a window of addresses of the rank, unless a window is given.
    /// </summary>
    /// <value>Default: the defaults.</value>
    /// <exception cref="ArgumentException">
    /// It says what to restart from, or holds generations itself.
    /// </exception>
    public SnapshotOptions Session
    {
        get;
        init => field = OptionValue.NotNull(value) is
        { Restart: { Generation: null, Tag: null, ImageId: null }, Store.Hold: null }
            ? value
            : throw new ArgumentException(
                "a job decides itself what is restored and what stays", nameof(Session));
    } = new();

    /// <value>The number of published generations that stay; default 2, so that one may turn out damaged.
    /// </value>
    public int Keep { get; init => field = OptionValue.AtLeast(value, 1); } = 2;

    /// <value>How often the job takes a checkpoint by itself; default null: when it is asked for one.</value>
    public CheckpointInterval? Interval { get; init; }

    /// <value>
    /// The time from its beginning after which the job is killed, such as the limit of a batch system: a
    /// checkpoint is published before that, and <see cref="MpiJob.IsEnding"/> is true from then on. Default
    /// null: none.
    /// </value>
    public TimeSpan? TimeLimit
    {
        get; init => field = value is { } limit
        ? OptionValue.Positive(limit) : null;
    }

    /// <value>
    /// Whether rank 0 asks the batch system for the end of the job (<see cref="BatchSystem.TimeLeft"/>),
    /// which counts as a <see cref="TimeLimit"/> then; the earlier one where both are given. Default false.
    /// </value>
    public bool AsksBatchSystem { get; init; }

    /// <value>How long before <see cref="TimeLimit"/> that checkpoint begins; default one minute.</value>
    public TimeSpan TimeMargin { get; init => field = OptionValue.NotNegative(value); } =
        TimeSpan.FromMinutes(1);

    /// <value>
    /// Whether to look, before each capture, for messages that were sent and not received; default true. A
    /// look takes less than a microsecond, and a barrier.
    /// </value>
    public bool CheckMessages { get; init; } = true;

    /// <value>
    /// Whose ranks the job has: the Fortran handle (<c>MPI_Comm_c2f</c>) of a communicator. Default 0: all
    /// processes that were started together.
    /// </value>
    public int Communicator { get; init; }

    /// <value>
    /// The file that calls MPI, made by <c>snapshot mpi build</c>. Default null: the one that the environment
    /// variable <c>SNAPSHOT_MPI</c> names, else one that the machine's mpicc compiles, once.
    /// </value>
    public string? Library { get; init; }

    /// <value>
    /// Whether each published generation is also copied to partners: ranks of another host, or of another
    /// <see cref="FailureDomain"/>. It survives the loss of any one of these with its disk then. Copies are
    /// sent by MPI while the program computes, at polls: 32 MiB with each at most. Default false.
    /// </value>
    public bool Partner { get; init; }

    /// <value>
    /// The name of what is lost together with this rank, such as a host, a chassis or a power supply; ranks
    /// give different ones. Default: the name of the host.
    /// </value>
    /// <exception cref="ArgumentException">Empty.</exception>
    public string FailureDomain { get; init => field = OptionValue.NotEmpty(value); } =
        Environment.MachineName;

    /// <value>
    /// A directory that all hosts see, such as one of a parallel file system, to which generations are
    /// copied while the program computes: they survive the loss of all hosts. It becomes the directory of a
    /// job itself. Default null: none.
    /// </value>
    /// <exception cref="ArgumentException">Empty.</exception>
    public string? SharedDirectory
    {
        get; init => field = value is null
        ? null : Path.GetFullPath(OptionValue.NotEmpty(value));
    }

    /// <value>
    /// Every how many published generations one is copied to <see cref="SharedDirectory"/>; the last one is
    /// when the job is closed. Default 1.
    /// </value>
    public int SharedEvery { get; init => field = OptionValue.AtLeast(value, 1); } = 1;

    /// <value>
    /// How fast each rank copies its images to one level, in bytes a second; default null: as fast as it can.
    /// A restart that fetches them is not held to it.
    /// </value>
    public long? CopyBytesPerSecond
    {
        get; init => field = value is { } rate
        ? OptionValue.AtLeast(rate, 1) : null;
    }

    /// <value>Told by the thread that polls how far copies are, and when they are complete; default null.
    /// </value>
    public IProgress<JobCopyProgress>? CopyProgress { get; init; }

    /// <summary>Called by the rank at places of its way through a checkpoint; tests end it there.</summary>
    internal Action<JobPoint> AtPoint { get; init; } = static _ => { };
}
