using Snapshot.Base;

namespace Snapshot.Interop;

/// <summary>
/// Whether write tracking works: protects a few pages, writes one and looks which one the kernel names; then
/// the same by a system call, whose writes must not be missed.
/// </summary>
internal static unsafe class WriteProtectProbe
{
    private const int PageCount = 8;

    internal static Finding Run()
    {
        int errno = UserfaultDescriptor.TryOpen(out UserfaultDescriptor? userfault);
        if (userfault is null)
            return Finding.No("asynchronous write protection cannot be switched on", errno);
        using (userfault)
        {
            errno = PagemapDescriptor.TryOpen(ScanMode.Look, out PagemapDescriptor? pagemap);
            if (pagemap is null) return Finding.No("/proc/self/pagemap cannot be opened", errno);
            using (pagemap) return Try(userfault, pagemap);
        }
    }

    private static Finding Try(UserfaultDescriptor userfault, PagemapDescriptor pagemap)
    {
        using ProbeMemory memory = new(PageCount);
        if (!memory.Exists) return Finding.No("no memory to try it on");
        for (int page = 0; page < PageCount; page++) *memory.Page(page) = 1;

        int errno = Native.sn_uffd_register_wp(userfault.Number, (ulong)memory.Address, memory.Bytes);
        if (errno != 0) return Finding.No("a range cannot be registered", errno);

        // The first scan takes all pages, which were populated before; the next must find nothing, the third
        // one page.
        string first = memory.Seen(pagemap, PageCategories.Written, ScanMode.Protect);
        string second = memory.Seen(pagemap, PageCategories.Written, ScanMode.Protect);
        *memory.Page(5) = 2;
        string third = memory.Seen(pagemap, PageCategories.Written, ScanMode.Protect);
        Finding written = ProbeMemory.Verdict(
            "wrote page 5", "0 1 2 3 4 5 6 7, nothing, 5", $"{first}, {second}, {third}");
        if (!written.Works) return written;
        if (!ReadInto(memory.Page(2))) return Finding.No("read(2) into a protected page failed");
        return ProbeMemory.Verdict(
            "wrote page 5, then read(2) from a pipe into page 2", "2",
            memory.Seen(pagemap, PageCategories.Written, ScanMode.Protect));
    }

    /// <summary>Lets the kernel write one byte: read(2) from a pipe.</summary>
    internal static bool ReadInto(byte* target)
    {
        int* ends = stackalloc int[2];
        if (ProbeCalls.pipe(ends) != 0) return false;
        byte sent = 3;
        bool moved = ProbeCalls.write(ends[1], &sent, 1) == 1 && ProbeCalls.read(ends[0], target, 1) == 1;
        _ = ProbeCalls.close(ends[0]);
        _ = ProbeCalls.close(ends[1]);
        return moved && *target == sent;
    }
}
