using Snapshot.C.Interface;
using Snapshot.Mpi;
using Snapshot.Mpi.Calls;

namespace Snapshot.C;

/// <summary>A job of ranks as C programs have it: with the session of this rank, under a handle.</summary>
internal sealed unsafe class LibraryJob
{
    private readonly MpiJob _job;
    private readonly LibrarySession _session;
    private readonly DueClock _clock;
    private readonly NativeText _skipped;
    private Exception? _told; // the failure that the program knows of

    private LibraryJob(MpiJob job, LibrarySession session, DueClock clock)
    {
        (_job, _session, _clock) = (job, session, clock);
        _skipped = new NativeText(job.Restarted is { } restarted ? TextOf(restarted.Skipped) : null);
        Session = Handle.New(session);
    }

    /// <summary>The handle of the session; it is released when the job is closed.</summary>
    internal Handle* Session { get; }

    internal JobGeneration? From => _job.Restarted?.From;

    internal JobLevel Level => _job.Restarted?.Level ?? JobLevel.Local;

    internal NativeText Skipped => _skipped;

    internal bool IsEnding => _job.IsEnding;

    /// <param name="calls">How MPI is called; null: it is not running.</param>
    /// <param name="communicator">Of the ranks, as Fortran has it.</param>
    /// <param name="directory">The job.</param>
    /// <param name="options">What the program says.</param>
    internal static LibraryJob Open(
        MpiCalls* calls, int communicator, string directory, in CJobOptions options)
    {
        if (calls is null)
        {
            throw new InvalidOperationException(
                "MPI is not running in this process: a job is opened after MPI_Init, and closed before " +
                "MPI_Finalize.");
        }

        COptions ofSession = Sized.Read<COptions>(options.Session, "snapshot_options");
        MpiJobOptions said = JobOptions.Of(options, ofSession, communicator);
        ArenaOptions arena = SessionOptions.ArenaOf(ofSession);
        DueClock clock = new(default, Text.OrNull(options.Signals, "signals"));
        MpiJob job = MpiJob.Open(MpiLibrary.Of(calls), directory, said);
        bool unmapsOnClose = ((OpenFlags)ofSession.Flags).HasFlag(OpenFlags.UnmapOnClose);
        return new LibraryJob(
            job, new LibrarySession(job.Session, job, arena, clock, unmapsOnClose), clock);
    }

    internal void Poll(long step)
    {
        if (_clock.TakeSignal()) _job.AskToEnd();
        _job.Poll(step);
    }

    internal JobGeneration Checkpoint(long step)
    {
        RuntimeSignal.ThrowIfTaken();
        try
        {
            return _job.Checkpoint(step);
        }
        finally
        {
            _told = _job.LastError;
        }
    }

    internal void Request() => _ = _job.RequestCheckpoint();

    internal void CheckMessagesOn(int communicator) => _job.CheckMessagesOn(communicator);

    /// <summary>What the newest checkpoint failed with; the program knows of it from now on.</summary>
    internal Exception? TakeFailure() => _told = _job.LastError;

    /// <summary>Closes the job with its session; throws the first error after that.</summary>
    internal void Close(Handle* handle)
    {
        _ = Handle.Release(Session);
        _ = Handle.Release(handle);
        if (LibraryNative.sn_is_forked_child() != 0) return;
        _session.Close();
        if (_job.LastError is { } failure && failure != _told) throw failure;
    }

    private static string TextOf(IReadOnlyList<SkippedJobGeneration> skipped) => string.Join(
        '\n', skipped.Select(one => $"{one.Generation.Generation}: {CWords.In(one.Reason.Message)}"));
}
