using System.Runtime.InteropServices;

namespace Snapshot.Interop;

/// <summary><c>struct sn_slots</c>: see there for who writes what.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct SlotsState
{
    /// <summary>Sizes of extents.</summary>
    internal const int HeadCount = 3;

    /// <summary>Used before, or fresh.</summary>
    internal const int KindsOfMemory = 2;

    internal ulong Base;
    internal uint* Next;
    internal uint Limit;
    internal uint Extra;
    internal uint Committed;
    internal uint ExtraCommitted;
    internal fixed ulong Heads[HeadCount];
    internal uint Fresh;
    internal uint Need;
    internal uint Changes;
    internal uint Waiting;
    internal uint Used;
    internal uint Peak;
    internal uint Resident;
    internal uint Once;
    internal ulong WaitedNanoseconds;
    internal fixed ulong CopyNanoseconds[KindsOfMemory];
}

/// <summary><c>struct sn_span</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct SpanState
{
    internal uint Lock;
    internal uint Order;
    internal ushort Ahead;
    internal byte Opened;
    internal byte Whole;
}

/// <summary><c>struct sn_region</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct RegionState
{
    internal ulong Start;
    internal ulong PageCount;
    internal ulong* Armed;
    internal ulong* Written;
    internal ulong* Frozen;
    internal ulong* Copied;
    internal uint* Slots;
    internal SpanState* Spans;
    internal uint* Orders;
    internal uint Opened;
    internal uint Lost;
    internal ulong Collected;
    internal ulong ChangedFirst;
    internal ulong ChangedEnd;
    internal ulong First;
    internal ulong End;
    internal uint IsForeign;
    internal int Pagemap;
    internal ulong Gone;
}

/// <summary><c>struct sn_freezer</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct FreezerState
{
    internal const int RegionsMax = 1024;

    /// <summary>As <see cref="Userfault"/>: writes are served on the threads that make them.</summary>
    internal const int BySignals = -1;

    internal int Userfault;
    internal int Stop;
    internal SlotsState Slots;
    internal fixed ulong Regions[RegionsMax];
    internal uint RegionCount;
    internal uint Inside;
    internal uint Serving;
    internal uint Held;
    internal ulong Faults;
    internal ulong OpenedAhead;
    internal ulong Copied;
    internal ulong CopyNanoseconds;
    internal ulong Waits;
    internal ulong WaitNanoseconds;
    internal ulong Spoiled;
}

/// <summary>
/// Imports of freeze.c, deliver.c, open.c, regions.c and signal.c; what each does is said in
/// snapshot_native.h.
/// </summary>
internal static unsafe partial class Native
{
    /// <summary>SN_COLLECT_EARLY, beside the flags of <see cref="ScanMode"/>.</summary>
    internal const int CollectEarly = 8;

    /// <summary>SN_KEEP_FIRST, SN_KEEP_LAST.</summary>
    internal const uint KeepFirst = 1, KeepLast = 2;

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial int sn_freezer_serve(FreezerState* freezer);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial int sn_region_add(FreezerState* freezer, RegionState* region);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial int sn_region_remove(FreezerState* freezer, RegionState* region);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial int sn_region_collect(
        FreezerState* freezer, RegionState* region, int pagemap, int how, ulong pageCount, ulong* open,
        ulong* changed);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial int sn_region_disarm(
        FreezerState* freezer, RegionState* region, ulong first, ulong count);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial int sn_region_open(
        FreezerState* freezer, RegionState* region, ulong first, ulong count);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial int sn_freezer_take_signals(FreezerState* freezer);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial int sn_freezer_leave_signals(FreezerState* freezer);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial int sn_region_freeze(
        FreezerState* freezer, RegionState* region, ulong pageCount, ulong* wanted);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial int sn_region_read(
        FreezerState* freezer, RegionState* region, ulong from, ulong bytes, uint keep, void* target);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial int sn_region_secure(
        FreezerState* freezer, RegionState* region, ulong first, ulong count);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial int sn_region_thaw(FreezerState* freezer, RegionState* region, ulong pageCount);
}
