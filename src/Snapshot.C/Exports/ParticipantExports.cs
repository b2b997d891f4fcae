using System.Runtime.InteropServices;
using Snapshot.C.Interface;

namespace Snapshot.C.Exports;

/// <summary>Participants. What each export does is said in snapshot.h.</summary>
internal static unsafe class ParticipantExports
{
    [UnmanagedCallersOnly(EntryPoint = "snapshot_attach")]
    private static int Attach(Handle* session, byte* name, Handle** participant)
    {
        try
        {
            Pointers.Require(participant, "participant");
            LibrarySession open = Handle.Open<LibrarySession>(session, "session");
            *participant = Handle.New(open.Attach(Text.Of(name, "name")));
            return Result.Good;
        }
        catch (Exception error)
        {
            return Result.Of(error);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "snapshot_detach")]
    private static int Detach(Handle* participant)
    {
        try
        {
            if (participant is null) return Result.Good;
            Handle.Open<LibraryParticipant>(participant, "participant").Detach();
            Handle.Release(participant);
            return Result.Good;
        }
        catch (Exception error)
        {
            return Result.Of(error);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "snapshot_poll_slow")]
    private static int PollSlow(Handle* participant)
    {
        try
        {
            Handle.Open<LibraryParticipant>(participant, "participant").Participant.Poll();
            return Result.Good;
        }
        catch (Exception error)
        {
            return Result.Of(error);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "snapshot_enter_critical")]
    private static int EnterCritical(Handle* participant)
    {
        try
        {
            Handle.Open<LibraryParticipant>(participant, "participant").EnterCritical();
            return Result.Good;
        }
        catch (Exception error)
        {
            return Result.Of(error);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "snapshot_exit_critical")]
    private static int ExitCritical(Handle* participant)
    {
        try
        {
            Handle.Open<LibraryParticipant>(participant, "participant").ExitCritical();
            return Result.Good;
        }
        catch (Exception error)
        {
            return Result.Of(error);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "snapshot_enter_blocked")]
    private static int EnterBlocked(Handle* participant, byte* what)
    {
        try
        {
            LibraryParticipant open = Handle.Open<LibraryParticipant>(participant, "participant");
            open.EnterBlocked(Text.OrNull(what, "what"));
            return Result.Good;
        }
        catch (Exception error)
        {
            return Result.Of(error);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "snapshot_exit_blocked")]
    private static int ExitBlocked(Handle* participant)
    {
        try
        {
            Handle.Open<LibraryParticipant>(participant, "participant").ExitBlocked();
            return Result.Good;
        }
        catch (Exception error)
        {
            return Result.Of(error);
        }
    }
}
