using System.Runtime.InteropServices;

namespace Snapshot.Interop;

/// <summary>
/// One run of pages as a scan reports it: <c>struct sn_page_region</c>, addresses in bytes.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal struct PageRegion
{
    internal ulong Start;
    internal ulong End;
    internal ulong Categories;
}

/// <summary>What a scan can tell of a page: the SN_PAGE_* bits.</summary>
[Flags]
internal enum PageCategories : ulong
{
    None = 0,
    WriteProtectAllowed = 1,
    Written = 2,
    File = 4,
    Present = 8,
    Swapped = 16,
    ZeroFrame = 32,
    Huge = 64,
    SoftDirty = 128,
}

/// <summary>What is asked of a userfaultfd when it is opened: UFFD_FEATURE_* bits of the kernel.</summary>
[Flags]
internal enum UserfaultFeatures : ulong
{
    None = 0,

    /// <summary>A write to protected memory is told to whoever reads the descriptor (Linux 5.7).</summary>
    WriteProtect = 1 << 0,

    /// <summary>
    /// Protection reaches pages that were never populated, too (Linux 6.4); a scan may protect only where
    /// this is on.
    /// </summary>
    WriteProtectUnpopulated = 1 << 13,

    /// <summary>
    /// The kernel itself lifts the protection at the first write, without telling anybody (Linux 6.7).
    /// </summary>
    WriteProtectAsync = 1 << 15,
}

/// <summary>What a scan does besides reporting pages, and how; the native library's SN_SCAN_*.</summary>
[Flags]
internal enum ScanMode
{
    /// <summary>Nothing.</summary>
    Look = 0,

    /// <summary>
    /// Write-protects exactly the reported pages in the same pass; memory that is not tracked is an error.
    /// </summary>
    Protect = 1,

    /// <summary>Memory that is not tracked is an error.</summary>
    LookAtTracked = 2,

    /// <summary>
    /// It reads the entries of the pagemap, which every kernel has, instead of asking for a scan. Of the
    /// categories these know Present, Swapped, File and SoftDirty.
    /// </summary>
    Entries = 4,
}

internal static unsafe partial class Native
{
    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial int sn_uffd_open(int userModeOnly, ulong features, int* fd);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial int sn_uffd_open_device(ulong features, int* fd);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial int sn_uffd_register_wp(int fd, ulong start, ulong bytes);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial int sn_uffd_register_missing(int fd, ulong start, ulong bytes);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial int sn_uffd_next_fault(int fd, int timeoutMilliseconds, ulong* address);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial int sn_uffd_copy(int fd, ulong target, ulong source, ulong bytes, ulong* copied);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial int sn_uffd_wake(int fd, ulong start, ulong bytes);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial int sn_uffd_unregister(int fd, ulong start, ulong bytes);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial int sn_uffd_protect(int fd, ulong start, ulong bytes, int on);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial int sn_pagemap_open(int* fd);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial int sn_pagemap_scan(
        int fd, ulong start, ulong end, ulong require, ulong forbid, ulong any, int flags,
        PageRegion* regions, ulong capacity, ulong* count, ulong* walked);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial int sn_soft_dirty_open(int* fd);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial int sn_soft_dirty_clear(int fd);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial int sn_close(int fd);
}
