using System.Runtime.InteropServices;
using Snapshot.C.Interface;

namespace Snapshot.C.Exports;

/// <summary>Arrays, and memory of the arena. What each export does is said in snapshot.h.</summary>
internal static unsafe class ArrayExports
{
    [UnmanagedCallersOnly(EntryPoint = "snapshot_array")]
    private static void* Array(Handle* session, byte* name, byte* layout, long count)
    {
        try
        {
            return Handle.Open<LibrarySession>(session, "session")
                .Array(Text.Of(name, "name"), Text.Of(layout, "layout"), count);
        }
        catch (Exception error)
        {
            return Result.Null(error);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "snapshot_find_array")]
    private static long FindArray(Handle* session, byte* name, byte* layout, void** memory)
    {
        try
        {
            Pointers.Require(memory, "memory");
            *memory = Handle.Open<LibrarySession>(session, "session")
                .FindArray(Text.Of(name, "name"), Text.Of(layout, "layout"), out long count);
            return count;
        }
        catch (Exception error)
        {
            return Result.Of(error);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "snapshot_remove_array")]
    private static int RemoveArray(Handle* session, byte* name)
    {
        try
        {
            Handle.Open<LibrarySession>(session, "session").RemoveArray(Text.Of(name, "name"));
            return Result.Good;
        }
        catch (Exception error)
        {
            return Result.Of(error);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "snapshot_allocate")]
    private static void* Allocate(Handle* session, long bytes, long alignment)
    {
        try
        {
            return Handle.Open<LibrarySession>(session, "session").Allocate(bytes, alignment);
        }
        catch (Exception error)
        {
            return Result.Null(error);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "snapshot_free")]
    private static int Free(Handle* session, void* memory)
    {
        try
        {
            LibrarySession open = Handle.Open<LibrarySession>(session, "session");
            if (memory is not null) open.Arena.Free(memory);
            return Result.Good;
        }
        catch (Exception error)
        {
            return Result.Of(error);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "snapshot_exclude")]
    private static long Exclude(Handle* session, void* memory, long bytes)
    {
        try
        {
            return Handle.Open<LibrarySession>(session, "session").Arena.Exclude(memory, bytes);
        }
        catch (Exception error)
        {
            return Result.Of(error);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "snapshot_include")]
    private static long Include(Handle* session, void* memory, long bytes)
    {
        try
        {
            return Handle.Open<LibrarySession>(session, "session").Arena.Include(memory, bytes);
        }
        catch (Exception error)
        {
            return Result.Of(error);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "snapshot_open_for_devices")]
    private static int OpenForDevices(Handle* session, void* memory, long bytes, Handle** range)
    {
        try
        {
            LibrarySession open = Handle.Open<LibrarySession>(session, "session");
            Pointers.Require(range, "range");
            *range = Handle.New(open.Arena.OpenForDevices(memory, bytes));
            return Result.Good;
        }
        catch (Exception error)
        {
            return Result.Of(error);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "snapshot_close_range")]
    private static int CloseRange(Handle* range)
    {
        try
        {
            if (range is null) return Result.Good;
            DeviceRange closing = Handle.Open<DeviceRange>(range, "range");
            if (Handle.Release(range)) closing.Dispose();
            return Result.Good;
        }
        catch (Exception error)
        {
            return Result.Of(error);
        }
    }
}
