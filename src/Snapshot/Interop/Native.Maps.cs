using System.Runtime.InteropServices;

namespace Snapshot.Interop;

/// <summary>What a mapping is: the SN_MAPPING_* bits.</summary>
[Flags]
internal enum MappingKinds : ulong
{
    None = 0,
    Readable = 1,

    /// <summary>Others may write it through mappings of their own.</summary>
    Shared = 2,

    /// <summary>Without memory of its own a page shows what a file holds.</summary>
    File = 4,
}

/// <summary>A mapping of this process: <c>struct sn_mapping</c>, addresses in bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct Mapping
{
    internal ulong Start;
    internal ulong End;
    internal ulong Kind;
}

internal static unsafe partial class Native
{
    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial int sn_maps_open(int* fd);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial int sn_maps_query(int fd, ulong address, Mapping* mapping);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial int sn_maps_list(Mapping* list, ulong capacity, ulong* count);
}
