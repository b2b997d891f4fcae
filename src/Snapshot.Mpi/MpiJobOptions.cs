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

    /// <summary>Called by the rank at places of its way through a checkpoint; tests end it there.</summary>
    internal Action<JobPoint> AtPoint { get; init; } = static _ => { };
}
