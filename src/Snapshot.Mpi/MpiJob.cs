using System.Runtime.InteropServices;
using Snapshot.Mpi.Calls;
using Snapshot.Mpi.Levels;
using Snapshot.Mpi.Manifest;
using Snapshot.Mpi.Protocol;

namespace Snapshot.Mpi;

/// <summary>
/// The ranks of an MPI job as one unit of checkpoint and restart: captured at the same step, published as a
/// whole, restored from the newest generation that every rank has.
/// </summary>
/// <remarks>
/// <para>Opening, <see cref="Poll"/>, <see cref="Checkpoint"/> and closing are collective: all ranks call
/// them in the same order, each on the thread that calls MPI. <see cref="RequestCheckpoint"/> may be called
/// on one rank, from any thread.</para>
/// <para>A rank's state is in the arenas of <see cref="Session"/>. Calls of MPI are between polls: at a poll
/// everything that was sent has been received, and no request is open.</para>
/// </remarks>
public sealed class MpiJob : IDisposable
{
    /// <summary>
    /// What a program exits with that was asked to end and wants to be started again: EX_TEMPFAIL.
    /// </summary>
    public const int RunMeAgain = 75;

    private readonly MpiLibrary _mpi;
    private readonly RankGroup _ranks;
    private readonly JobCheckpoints _checkpoints;
    private readonly LevelTracks _levels;
    private readonly JobRequests _requests;
    private readonly List<int> _checked;
    private readonly List<PosixSignalRegistration> _signals = [];
    private bool _isClosed;

    private MpiJob(MpiLibrary mpi, RankGroup ranks, JobPlaces places, MpiJobOptions options)
    {
        (_mpi, _ranks) = (mpi, ranks);
        JobTime time = new(ranks, options);
        RankSession sessions = new(ranks, places, options);
        StoreOptions store = options.Session.Store;
        FailureDomains domains = FailureDomains.Of(ranks, options.FailureDomain);
        bool isKeeper = ManifestKeepers.IsOne(ranks, domains, places, store);
        IReadOnlyList<ILevel> levels = JobLevelsOpening.Open(ranks, domains, places, options);
        JobStart start;
        try
        {
            start = new JobRestartRun(ranks, places, levels, store, sessions.Open).Execute(isKeeper);
        }
        catch
        {
            foreach (ILevel level in levels) level.Dispose();
            throw;
        }

        Session = start.Session;
        Restarted = start.Restarted;
        Communicator = new Communicator(mpi, options.Communicator);
        _checked = [Communicator.Handle, options.Communicator == 0 ? mpi.World : options.Communicator];
        _requests = new JobRequests(new JobSchedule(options, time));
        JobPublication publication = new(ranks, places, options, sessions.Hold, isKeeper, start);
        _levels = new LevelTracks(ranks, levels, publication, Session.Store, options);
        _levels.GoOnFrom(start.Entry);
        _checkpoints = new JobCheckpoints(
            ranks, Session, options.CheckMessages ? new OpenMessages(ranks, _checked) : null, publication,
            _levels, _requests, options.AtPoint);
    }

    /// <summary>The session of this rank. Its own checkpoints are in no generation of the job.</summary>
    public SnapshotSession Session { get; }

    /// <summary>Messages between the ranks, for programs without a binding of MPI.</summary>
    public Communicator Communicator { get; }

    /// <summary>What all ranks were restored from, or null where the job started fresh.</summary>
    public JobRestart? Restarted { get; }

    /// <summary>
    /// Whether the program was asked to end (by a signal or its time limit) and the checkpoint for it is
    /// published: true on all ranks from the same poll on.
    /// </summary>
    public bool IsEnding => _checkpoints.IsEnding;

    /// <summary>
    /// What the newest checkpoint failed with, on whichever rank; null where it was published, or none was
    /// taken.
    /// </summary>
    public Exception? LastError => _requests.LastError;

    /// <summary>
    /// Opens a job in a directory: restores all ranks from the newest generation that every one of them has,
    /// or starts fresh where none was published. Collective. Begins MPI where the program did not.
    /// </summary>
    /// <param name="directory">The same for all ranks; each has a store in it. Made when it is
    /// missing.</param>
    /// <param name="options">The same for all ranks, or null for the defaults.</param>
    /// <exception cref="SnapshotException">
    /// NativeLibrary: MPI cannot be called, or not the one that started the job. Mpi: a call of it failed.
    /// Unsupported: a job that was closed has ended MPI, which begins once in a process.
    /// LayoutMismatch: the job had another number of ranks. NotFound: none of its generations can be
    /// restored. RankFailed: another rank cannot open its store; and what opening a store and a restart
    /// throw.
    /// </exception>
    public static MpiJob Open(string directory, MpiJobOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        options ??= new MpiJobOptions();
        return Open(MpiLibrary.Start(options.Library), directory, options);
    }

    /// <summary>The same over an MPI that the caller has.</summary>
    internal static MpiJob Open(MpiLibrary mpi, string directory, MpiJobOptions options)
    {
        RankGroup ranks = new(mpi, options.Communicator);
        JobLauncher.RefuseOther(mpi, options.Communicator, ranks.Size);
        return new MpiJob(mpi, ranks, new JobPlaces(directory), options);
    }

    /// <summary>
    /// A safepoint of the whole job, where all ranks call it with the same step. As a rule it counts and
    /// returns. When all ranks have agreed on a checkpoint, all capture at this one.
    /// </summary>
    /// <remarks>
    /// A checkpoint that fails is told to whoever asked for it and by <see cref="LastError"/>; the program
    /// goes on.
    /// </remarks>
    /// <param name="step">Where the program is; ranks may be at different times here, not at different
    /// steps.</param>
    /// <exception cref="SnapshotException">OutOfStep: another rank polled at another step, or has closed the
    /// job. Mpi.</exception>
    public void Poll(long step)
    {
        ObjectDisposedException.ThrowIf(_isClosed, this);
        _checkpoints.Poll(step);
    }

    /// <summary>
    /// Takes a checkpoint here, where all ranks call it; returns when it is published.
    /// </summary>
    /// <param name="step">Where the program is, the same on all ranks.</param>
    /// <exception cref="SnapshotException">What it failed with on this rank, else RankFailed. OpenMessage: a
    /// message was not received. OutOfStep, Mpi.</exception>
    public JobGeneration Checkpoint(long step)
    {
        ObjectDisposedException.ThrowIf(_isClosed, this);
        return _checkpoints.Take(step);
    }

    /// <summary>
    /// Asks for a checkpoint, on one rank or on several: it is taken at one of the next polls of all ranks.
    /// From any thread.
    /// </summary>
    /// <returns>Ends when it is published, and faults with what it failed with. The thread that polls must
    /// not wait for it.</returns>
    /// <exception cref="ObjectDisposedException">The job is closed.</exception>
    public Task<JobGeneration> RequestCheckpoint() => _requests.Add();

    /// <summary>
    /// Takes a checkpoint when one of these signals comes to one of the ranks, and sets
    /// <see cref="IsEnding"/> when it is published; the signals do nothing else any more.
    /// </summary>
    /// <param name="signals">Such as SIGTERM, or <c>(PosixSignal)10</c> for SIGUSR1.</param>
    public void CheckpointOnSignal(params ReadOnlySpan<PosixSignal> signals)
    {
        foreach (PosixSignal signal in signals)
        {
            _signals.Add(PosixSignalRegistration.Create(signal, context =>
            {
                context.Cancel = true;
                AskToEnd();
            }));
        }
    }

    /// <summary>What a signal does. From any thread.</summary>
    internal void AskToEnd() => _requests.AskToEnd();

    /// <summary>
    /// Looks, before each capture, also on this communicator for messages that were not received; it does so
    /// on the one of the job, and on <see cref="Communicator"/>.
    /// </summary>
    /// <param name="handle">The Fortran handle (<c>MPI_Comm_c2f</c>) of a communicator that the program
    /// sends on.</param>
    public void CheckMessagesOn(int handle) => _checked.Add(handle);

    /// <summary>
    /// Publishes what is under way, copies the newest generation to all levels, and closes the session; ends
    /// MPI where the job began it. Collective. Where other ranks go on, because an exception ends this one,
    /// nothing is waited for.
    /// </summary>
    public void Dispose()
    {
        if (_isClosed) return;
        _isClosed = true;
        foreach (PosixSignalRegistration signal in _signals) signal.Dispose();
        bool isTogether = _checkpoints.Close();
        _requests.Close();
        _levels.Dispose();
        Session.Dispose();
        if (!isTogether) return;
        Communicator.Close();
        _ranks.Dispose();
        _mpi.Finish();
    }
}
