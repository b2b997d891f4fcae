using System.Runtime.InteropServices;

namespace Snapshot.Interop;

/// <summary>
/// Whether write tracking works: protects a few pages, writes one and looks which one the kernel names.
/// </summary>
internal static unsafe class WriteProtectProbe
{
    private const int PageCount = 8;

    /// <summary>
    /// What came out. A text says what was seen, for people; it is empty only where nothing was tried.
    /// </summary>
    internal readonly record struct Result(
        bool Writes, string WritesDetail, bool KernelWrites, string KernelWritesDetail);

    internal static Result Run()
    {
        int errno = UserfaultDescriptor.TryOpen(out UserfaultDescriptor? userfault);
        if (userfault is null) return Nothing($"asynchronous write protection cannot be switched on: {Text(errno)}");
        using (userfault)
        {
            errno = PagemapDescriptor.TryOpen(out PagemapDescriptor? pagemap);
            if (pagemap is null) return Nothing($"/proc/self/pagemap cannot be opened: {Text(errno)}");
            using (pagemap) return Try(userfault, pagemap);
        }
    }

    /// <summary>Whether a scan tells the one populated page of a fresh mapping from the others.</summary>
    internal static (bool Works, string Detail) RunScan()
    {
        int errno = PagemapDescriptor.TryOpen(out PagemapDescriptor? pagemap);
        if (pagemap is null) return (false, $"/proc/self/pagemap cannot be opened: {Text(errno)}");
        using (pagemap)
        {
            using ProbeMemory memory = new(PageCount);
            if (!memory.Exists) return (false, "no memory to try it on");
            *memory.Page(3) = 1;
            string seen = Seen(pagemap, memory, PageCategories.Present, protect: false);
            return Verdict("populated page 3", expected: "3", seen);
        }
    }

    internal static string Text(int errno) => $"{Marshal.GetPInvokeErrorMessage(errno)} (errno {errno})";

    private static Result Nothing(string why) => new(false, why, false, "not tried: write tracking does not work");

    private static Result Try(UserfaultDescriptor userfault, PagemapDescriptor pagemap)
    {
        using ProbeMemory memory = new(PageCount);
        if (!memory.Exists) return Nothing("no memory to try it on");
        for (int page = 0; page < PageCount; page++) *memory.Page(page) = 1;

        int errno = Native.sn_uffd_register_wp(userfault.Number, (ulong)memory.Address, memory.Bytes);
        if (errno != 0) return Nothing($"a range cannot be registered: {Text(errno)}");

        // The first scan takes all pages, which were populated before; the next must find nothing, the third one page.
        string first = Seen(pagemap, memory, PageCategories.Written, protect: true);
        string second = Seen(pagemap, memory, PageCategories.Written, protect: true);
        *memory.Page(5) = 2;
        string third = Seen(pagemap, memory, PageCategories.Written, protect: true);
        (bool works, string detail) = Verdict(
            "wrote page 5", "0 1 2 3 4 5 6 7, nothing, 5", $"{first}, {second}, {third}");
        if (!works) return Nothing(detail);

        bool read = ReadInto(memory.Page(2));
        string fourth = Seen(pagemap, memory, PageCategories.Written, protect: true);
        (bool kernel, string kernelDetail) = read
            ? Verdict("read(2) from a pipe into page 2", "2", fourth)
            : (false, "read(2) into a protected page failed");
        return new Result(works, detail, kernel, kernelDetail);
    }

    private static (bool Works, string Detail) Verdict(string what, string expected, string seen) => seen == expected
        ? (true, $"{what}, and the scan named it")
        : (false, $"{what}; the scan should have named [{expected}] and named [{seen}]");

    /// <summary>The pages that a scan names, as text; or why it failed.</summary>
    private static string Seen(PagemapDescriptor pagemap, ProbeMemory memory, PageCategories require, bool protect)
    {
        PageRegion* runs = stackalloc PageRegion[PageCount];
        ulong count, walked;
        int errno = Native.sn_pagemap_scan(
            pagemap.Number, (ulong)memory.Address, (ulong)memory.Address + memory.Bytes, (ulong)require, 0, 0,
            protect ? 1 : 0, runs, PageCount, &count, &walked);
        if (errno != 0) return $"the scan failed: {Text(errno)}";

        List<int> pages = [];
        for (ulong run = 0; run < count; run++)
        {
            for (int page = memory.IndexOf(runs[run].Start); page < memory.IndexOf(runs[run].End); page++)
                pages.Add(page);
        }

        return pages.Count == 0 ? "nothing" : string.Join(' ', pages);
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
