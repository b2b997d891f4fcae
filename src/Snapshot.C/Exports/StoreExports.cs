using System.Runtime.InteropServices;
using Snapshot.C.Interface;

namespace Snapshot.C.Exports;

/// <summary>Stores, without a session. What each export does is said in snapshot.h.</summary>
internal static unsafe class StoreExports
{
    [UnmanagedCallersOnly(EntryPoint = "sn_managed_store_open")]
    private static int StoreOpen(byte* directory, Handle** store)
    {
        try
        {
            ForkedException.ThrowIfChild();
            Pointers.Require(store, "store");
            *store = Handle.New(LibraryStore.Open(Text.Of(directory, "directory")));
            return Result.Good;
        }
        catch (Exception error)
        {
            return Result.Of(error);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "snapshot_store_close")]
    private static int StoreClose(Handle* store)
    {
        try
        {
            if (store is null) return Result.Good;
            LibraryStore closing = Handle.Peek<LibraryStore>(store, "store");
            if (Handle.Release(store)) closing.Dispose();
            return Result.Good;
        }
        catch (Exception error)
        {
            return Result.Of(error);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "snapshot_store_list")]
    private static long StoreList(Handle* store, CGeneration* generations, long room)
    {
        try
        {
            return Handle.Open<LibraryStore>(store, "store").List(generations, room);
        }
        catch (Exception error)
        {
            return Result.Of(error);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "snapshot_store_size")]
    private static long StoreSize(Handle* store, long generation, byte* region)
    {
        try
        {
            return Handle.Open<LibraryStore>(store, "store").SizeOf(generation, Text.Of(region, "region"));
        }
        catch (Exception error)
        {
            return Result.Of(error);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "snapshot_store_read")]
    private static int StoreRead(
        Handle* store, long generation, byte* region, long offset, void* buffer, long bytes)
    {
        try
        {
            Handle.Open<LibraryStore>(store, "store")
                .Read(generation, Text.Of(region, "region"), offset, buffer, bytes);
            return Result.Good;
        }
        catch (Exception error)
        {
            return Result.Of(error);
        }
    }
}
