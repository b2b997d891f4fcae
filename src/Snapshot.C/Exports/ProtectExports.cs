using System.Runtime.InteropServices;
using Snapshot.C.Interface;

namespace Snapshot.C.Exports;

/// <summary>Memory of the program. What each export does is said in snapshot.h.</summary>
internal static unsafe class ProtectExports
{
    [UnmanagedCallersOnly(EntryPoint = "snapshot_protect")]
    private static int Protect(Handle* session, byte* name, void* memory, long bytes, uint flags)
    {
        try
        {
            Handle.Open<LibrarySession>(session, "session")
                .Protect(Text.Of(name, "name"), memory, bytes, (ProtectFlags)flags);
            return Result.Good;
        }
        catch (Exception error)
        {
            return Result.Of(error);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "snapshot_fill")]
    private static int Fill(Handle* session, byte* name)
    {
        try
        {
            return Handle.Open<LibrarySession>(session, "session").Fill(Text.Of(name, "name")) ? 1 : 0;
        }
        catch (Exception error)
        {
            return Result.Of(error);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "snapshot_unprotect")]
    private static int Unprotect(Handle* session, byte* name)
    {
        try
        {
            Handle.Open<LibrarySession>(session, "session").Unprotect(Text.Of(name, "name"));
            return Result.Good;
        }
        catch (Exception error)
        {
            return Result.Of(error);
        }
    }
}
