using System.Runtime.InteropServices;
using Snapshot.C.Interface;

namespace Snapshot.C.Exports;

/// <summary>Sessions. What each export does is said in snapshot.h, and of sn_managed_ in library.h.</summary>
internal static unsafe class SessionExports
{
    [UnmanagedCallersOnly(EntryPoint = "sn_managed_start")]
    private static void Start()
    {
        // Being called is enough: the runtime starts before.
    }

    [UnmanagedCallersOnly(EntryPoint = "sn_managed_before_fork")]
    private static void BeforeFork() => LibrarySession.BeforeFork();

    [UnmanagedCallersOnly(EntryPoint = "sn_managed_open")]
    private static int Open(byte* store, void* options, Handle** session)
    {
        try
        {
            ForkedException.ThrowIfChild();
            Pointers.Require(session, "session");
            RuntimeSignal.ThrowIfTaken();
            *session = Handle.New(LibrarySession.Open(
                Text.Of(store, "store"), Sized.Read<COptions>(options, "snapshot_options")));
            return Result.Good;
        }
        catch (Exception error)
        {
            return Result.Of(error);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "snapshot_generation")]
    private static long Generation(Handle* session)
    {
        try
        {
            return Handle.Open<LibrarySession>(session, "session").Generation;
        }
        catch (Exception error)
        {
            return Result.Of(error);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "snapshot_tag")]
    private static byte* Tag(Handle* session)
    {
        try
        {
            return Handle.Open<LibrarySession>(session, "session").Tag.Pointer;
        }
        catch (Exception error)
        {
            return (byte*)Result.Null(error);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "snapshot_close")]
    private static int Close(Handle* session)
    {
        try
        {
            if (session is null) return Result.Good;
            LibrarySession closing = Handle.Peek<LibrarySession>(session, "session");
            closing.ThrowIfOfJob();
            if (Handle.Release(session) && LibraryNative.sn_is_forked_child() == 0) closing.Close();
            return Result.Good;
        }
        catch (Exception error)
        {
            return Result.Of(error);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "snapshot_due")]
    private static int Due(Handle* session)
    {
        try
        {
            return (int)Handle.Open<LibrarySession>(session, "session").Clock.Due();
        }
        catch (Exception error)
        {
            return Result.Of(error);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "snapshot_last_signal")]
    private static int LastSignal(Handle* session)
    {
        try
        {
            return Handle.Open<LibrarySession>(session, "session").Clock.LastSignal;
        }
        catch (Exception error)
        {
            return Result.Of(error);
        }
    }
}
