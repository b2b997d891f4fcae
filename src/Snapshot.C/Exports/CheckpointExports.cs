using System.Runtime.InteropServices;
using Snapshot.C.Interface;

namespace Snapshot.C.Exports;

/// <summary>Checkpoints. What each export does is said in snapshot.h.</summary>
internal static unsafe class CheckpointExports
{
    [UnmanagedCallersOnly(EntryPoint = "snapshot_checkpoint")]
    private static int Checkpoint(Handle* session, void* request, Handle** ticket)
    {
        try
        {
            CheckpointTicket? taken = Handle.Open<LibrarySession>(session, "session")
                .Checkpoint(Sized.Read<CRequest>(request, "snapshot_request"), ticket is not null);
            if (ticket is not null) *ticket = Handle.New(taken!);
            return Result.Good;
        }
        catch (Exception error)
        {
            return Result.Of(error);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "snapshot_wait")]
    private static int Wait(Handle* ticket, long* generation)
    {
        try
        {
            CheckpointTicket waited = Handle.Open<CheckpointTicket>(ticket, "ticket");
            SnapshotInfo info = LibrarySession.WaitAndRelease(waited, ticket);
            if (generation is not null) *generation = info.Generation;
            return Result.Good;
        }
        catch (Exception error)
        {
            return Result.Of(error);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "snapshot_wait_captured")]
    private static int WaitCaptured(Handle* ticket)
    {
        try
        {
            _ = Handle.Open<CheckpointTicket>(ticket, "ticket").WaitCapturedInThread();
            return Result.Good;
        }
        catch (Exception error)
        {
            return Result.Of(error);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "snapshot_is_done")]
    private static int IsDone(Handle* ticket)
    {
        try
        {
            return Handle.Open<CheckpointTicket>(ticket, "ticket").Committed.IsCompleted ? 1 : 0;
        }
        catch (Exception error)
        {
            return Result.Of(error);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "snapshot_cancel")]
    private static int Cancel(Handle* ticket)
    {
        try
        {
            Handle.Open<CheckpointTicket>(ticket, "ticket").Cancel();
            return Result.Good;
        }
        catch (Exception error)
        {
            return Result.Of(error);
        }
    }
}
