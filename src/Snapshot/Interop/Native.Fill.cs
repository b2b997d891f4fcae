using System.Runtime.InteropServices;

namespace Snapshot.Interop;

/// <summary><c>struct sn_fill_image</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct FillImage
{
    internal byte* Name;
    internal int Descriptor;
    internal int Reserved;
}

/// <summary><c>struct sn_fill_block</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct FillBlock
{
    internal const int ReservedBytes = 3;

    internal ulong Offset;
    internal ulong Checksum;
    internal ulong Ordinal;
    internal ulong Wanted;
    internal uint Stored;
    internal uint State;
    internal uint Run;
    internal uint Number;
    internal ushort Image;
    internal byte PageCount;
    internal byte Encoding;
    internal byte ElementSize;
    internal fixed byte Reserved[ReservedBytes];
}

/// <summary><c>struct sn_fill_run</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct FillExtent
{
    internal ulong Address;
    internal ulong Ordinal;
    internal ulong Hashes;
    internal uint PageCount;
    internal uint Block;
    internal uint Image;
    internal uint Reserved;
}

/// <summary><c>struct sn_fill_range</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct FillRange
{
    internal ulong Start;
    internal ulong End;
}

/// <summary>What went wrong with a block: SN_FILL_READ and so on.</summary>
internal enum FillFailure : uint
{
    None = 0,
    Read = 1,
    Checksum = 2,
    Decode = 3,
    Install = 4,
}

/// <summary><c>struct sn_fill</c>: see there for who writes what.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct FillState
{
    internal int Userfault;
    internal int Stop;
    internal FillImage* Images;
    internal FillBlock* Blocks;
    internal FillExtent* Runs;
    internal uint* ByAddress;
    internal uint* Order;
    internal FillRange* Ranges;
    internal uint BlockCount;
    internal uint RunCount;
    internal uint RangeCount;
    internal uint Remaining;
    internal uint Cursor;
    internal uint Stopping;
    internal uint Serving;
    internal uint Urgent;
    internal uint Lenient;
    internal uint Failed;
    internal uint FailedBlock;
    internal FillFailure FailedKind;
    internal int FailedError;
    internal uint Closed;
    internal ulong PagesInstalled;
    internal ulong Faults;
}

internal static unsafe partial class Native
{
    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial int sn_fill_serve(FillState* fill);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial int sn_fill_stream(FillState* fill);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial int sn_fill_stop_streaming(FillState* fill);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial int sn_fill_fetch(FillState* fill, ulong baseAddress, ulong bytes);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial int sn_fill_close(FillState* fill);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial int sn_fill_forget(FillState* fill, ulong baseAddress, ulong bytes);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial int sn_event_open(int* fd);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial int sn_event_signal(int fd);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial int sn_block_decode(
        void* source, ulong stored, uint encoding, uint element, void* target, void* between, ulong bytes);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial int sn_block_checksum(void* bytes, ulong length, ulong* checksum);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    [SuppressGCTransition]
    internal static partial int sn_block_page_hash(void* page, ulong* hash);
}
