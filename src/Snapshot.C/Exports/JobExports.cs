using System.Runtime.InteropServices;
using Snapshot.C.Interface;
using Snapshot.Mpi;
using Snapshot.Mpi.Calls;

namespace Snapshot.C.Exports;

/// <summary>Jobs of ranks. What each export does is said in snapshot_job.h.</summary>
internal static unsafe class JobExports
{
    [UnmanagedCallersOnly(EntryPoint = "sn_managed_job_open")]
    private static int Open(
        MpiCalls* calls, int communicator, byte* directory, void* options, Handle** job)
    {
        try
        {
            ForkedException.ThrowIfChild();
            Pointers.Require(job, "job");
            RuntimeSignal.ThrowIfTaken();
            *job = Handle.New(LibraryJob.Open(
                calls, communicator, Text.Of(directory, "directory"),
                Sized.Read<CJobOptions>(options, "snapshot_job_options")));
            return Result.Good;
        }
        catch (Exception error)
        {
            return Result.Of(error);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "snapshot_job_session")]
    private static Handle* Session(Handle* job)
    {
        try
        {
            return Opened(job).Session;
        }
        catch (Exception error)
        {
            return (Handle*)Result.Null(error);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "snapshot_job_generation")]
    private static long Generation(Handle* job)
    {
        try
        {
            return Opened(job).From?.Generation ?? 0;
        }
        catch (Exception error)
        {
            return Result.Of(error);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "snapshot_job_step")]
    private static long Step(Handle* job)
    {
        try
        {
            return Opened(job).From?.Step ?? 0;
        }
        catch (Exception error)
        {
            return Result.Of(error);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "snapshot_job_level")]
    private static int Level(Handle* job)
    {
        try
        {
            return (int)Opened(job).Level;
        }
        catch (Exception error)
        {
            return Result.Of(error);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "snapshot_job_skipped")]
    private static byte* Skipped(Handle* job)
    {
        try
        {
            return Opened(job).Skipped.Pointer;
        }
        catch (Exception error)
        {
            return (byte*)Result.Null(error);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "snapshot_job_poll")]
    private static int Poll(Handle* job, long step)
    {
        try
        {
            Opened(job).Poll(step);
            return Result.Good;
        }
        catch (Exception error)
        {
            return Result.Of(error);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "snapshot_job_checkpoint")]
    private static int Checkpoint(Handle* job, long step, long* generation)
    {
        try
        {
            JobGeneration published = Opened(job).Checkpoint(step);
            if (generation is not null) *generation = published.Generation;
            return Result.Good;
        }
        catch (Exception error)
        {
            return Result.Of(error);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "snapshot_job_request")]
    private static int Request(Handle* job)
    {
        try
        {
            Opened(job).Request();
            return Result.Good;
        }
        catch (Exception error)
        {
            return Result.Of(error);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "snapshot_job_failure")]
    private static int Failure(Handle* job)
    {
        try
        {
            return Opened(job).TakeFailure() is { } failure ? Result.Of(failure) : Result.Good;
        }
        catch (Exception error)
        {
            return Result.Of(error);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "snapshot_job_is_ending")]
    private static int IsEnding(Handle* job)
    {
        try
        {
            return Opened(job).IsEnding ? 1 : 0;
        }
        catch (Exception error)
        {
            return Result.Of(error);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "snapshot_job_check_messages_with")]
    private static int CheckMessagesWith(Handle* job, int communicator)
    {
        try
        {
            Opened(job).CheckMessagesOn(communicator);
            return Result.Good;
        }
        catch (Exception error)
        {
            return Result.Of(error);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "snapshot_job_close")]
    private static int Close(Handle* job)
    {
        try
        {
            if (job is not null) Handle.Peek<LibraryJob>(job, "job").Close(job);
            return Result.Good;
        }
        catch (Exception error)
        {
            return Result.Of(error);
        }
    }

    private static LibraryJob Opened(Handle* job) => Handle.Open<LibraryJob>(job, "job");
}
