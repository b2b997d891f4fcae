namespace Snapshot.Interop;

/// <summary>
/// Whether the kernel marks pages that are written: two are, the marks are cleared, one is written again, and
/// it must be marked alone.
/// </summary>
/// <remarks>
/// Clearing is for the whole process. So a session that tracks by these bits must not be there, nor come
/// meanwhile (<see cref="SoftDirtyOwner"/>); and nothing is cleared where no bit was set at first: a kernel
/// without them takes the order to clear and does nothing.
/// </remarks>
internal static unsafe class SoftDirtyProbe
{
    internal static Finding Run() =>
        SoftDirtyOwner.WhileFree(Try) ?? new Finding(true, "a session of this process tracks by it");

    private static Finding Try()
    {
        int errno = PagemapDescriptor.TryOpen(ScanMode.Entries, out PagemapDescriptor? pagemap);
        if (pagemap is null) return Finding.No("/proc/self/pagemap cannot be opened", errno);
        using (pagemap)
        {
            errno = SoftDirtyDescriptor.TryOpen(out SoftDirtyDescriptor? bits);
            if (bits is null) return Finding.No("/proc/self/clear_refs cannot be opened", errno);
            using (bits) return Try(pagemap, bits);
        }
    }

    private static Finding Try(PagemapDescriptor pagemap, SoftDirtyDescriptor bits)
    {
        using ProbeMemory memory = new(2);
        if (!memory.Exists) return Finding.No("no memory to try it on");
        *memory.Page(0) = *memory.Page(1) = 1;
        string first = memory.Seen(pagemap, PageCategories.SoftDirty, ScanMode.Entries);
        if (first != "0 1") return Finding.No($"wrote pages 0 and 1, of which [{first}] are marked");
        int errno = bits.Clear();
        if (errno != 0) return Finding.No("the marks cannot be cleared", errno);
        *memory.Page(1) = 2;
        return ProbeMemory.Verdict(
            "cleared the marks and wrote page 1", "1",
            memory.Seen(pagemap, PageCategories.SoftDirty, ScanMode.Entries));
    }
}
