namespace Snapshot.Interop;

/// <summary>
/// Whether the kernel tells which pages have memory: one of eight is written, and must be named alone.
/// </summary>
internal static unsafe class PagemapProbe
{
    private const int PageCount = 8;

    /// <summary>By the entries of /proc/self/pagemap.</summary>
    internal static Finding Entries() => Run(ScanMode.Entries);

    /// <summary>By a scan.</summary>
    internal static Finding Scan() => Run(ScanMode.Look);

    private static Finding Run(ScanMode mode)
    {
        int errno = PagemapDescriptor.TryOpen(mode, out PagemapDescriptor? pagemap);
        if (pagemap is null) return Finding.No("/proc/self/pagemap cannot be opened", errno);
        using (pagemap)
        {
            using ProbeMemory memory = new(PageCount);
            if (!memory.Exists) return Finding.No("no memory to try it on");
            *memory.Page(3) = 1;
            return ProbeMemory.Verdict(
                "populated page 3", expected: "3", memory.Seen(pagemap, PageCategories.Present, mode));
        }
    }
}
