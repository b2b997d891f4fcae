using System.Runtime.InteropServices;
using Snapshot.C.Interface;

namespace Snapshot.C.Exports;

/// <summary>Handlers. What each export does is said in snapshot.h.</summary>
internal static unsafe class HandlerExports
{
    [UnmanagedCallersOnly(EntryPoint = "snapshot_on_checkpoint")]
    private static int OnCheckpoint(Handle* session, byte* name, void* handler, void* argument)
    {
        try
        {
            Pointers.Require(handler, "handler");
            Handle.Open<LibrarySession>(session, "session").AddHandler(
                Text.Of(name, "name"), Sized.Read<CHandler>(handler, "snapshot_handler"), argument);
            return Result.Good;
        }
        catch (Exception error)
        {
            return Result.Of(error);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "snapshot_on_stop")]
    private static int OnStop(Handle* participant, byte* name, void* handler, void* argument)
    {
        try
        {
            Pointers.Require(handler, "handler");
            Handle.Open<LibraryParticipant>(participant, "participant").AddHandler(
                Text.Of(name, "name"), Sized.Read<CHandler>(handler, "snapshot_handler"), argument);
            return Result.Good;
        }
        catch (Exception error)
        {
            return Result.Of(error);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "snapshot_remove_handler")]
    private static int RemoveHandler(Handle* session, byte* name)
    {
        try
        {
            Handle.Open<LibrarySession>(session, "session").RemoveHandler(Text.Of(name, "name"));
            return Result.Good;
        }
        catch (Exception error)
        {
            return Result.Of(error);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "snapshot_remove_stop_handler")]
    private static int RemoveStopHandler(Handle* participant, byte* name)
    {
        try
        {
            Handle.Open<LibraryParticipant>(participant, "participant").RemoveHandler(Text.Of(name, "name"));
            return Result.Good;
        }
        catch (Exception error)
        {
            return Result.Of(error);
        }
    }
}
