using Snapshot.Base;
using Result = Snapshot.Interop.ProbeFault.Result;

namespace Snapshot.Interop;

/// <summary>
/// Whether a page can be fetched when it is touched: a thread touches one that is not there, it is installed,
/// and the thread must have read it; then the same by a system call.
/// </summary>
internal static unsafe class PagesOnDemandProbe
{
    private const int PageCount = 8;
    private const byte Content = 7;

    internal static Result Run()
    {
        int errno = UserfaultDescriptor.TryOpenForFaults(out UserfaultDescriptor? userfault);
        if (userfault is null) return Result.Nothing("a userfaultfd cannot be opened", errno);
        using (userfault)
        {
            errno = PagemapDescriptor.TryOpen(ScanMode.Look, out PagemapDescriptor? pagemap);
            if (pagemap is null) return Result.Nothing("/proc/self/pagemap cannot be opened", errno);
            using (pagemap)
            using (ProbeMemory memory = new(PageCount))
                return memory.Exists
                    ? Try(userfault, pagemap, memory) : Result.Nothing("no memory to try it on");
        }
    }

    private static Result Try(UserfaultDescriptor userfault, PagemapDescriptor pagemap, ProbeMemory memory)
    {
        int errno = Native.sn_uffd_register_missing(userfault.Number, (ulong)memory.Address, memory.Bytes);
        if (errno != 0) return Result.Nothing("a range cannot be registered", errno);

        byte* page = memory.Page(3);
        byte seen = 0;
        byte* target = &seen;
        string? wrong = Serve(userfault, page, () => ProbeCalls.memcpy(target, page, 1));
        if (wrong is not null) return Result.Nothing($"touched page 3; {wrong}");
        if (seen != Content)
            return Result.Nothing($"installed {Content} in page 3, and its toucher read {seen}");
        if (IsWritten(pagemap, page))
            return Result.Nothing("installed page 3 write-protected, and it counts as written");
        *page = 1;
        if (!IsWritten(pagemap, page))
            return Result.Nothing("wrote the installed page 3, and it does not count as written");

        const string detail = "touched page 3; it was installed, and counted as written only after it was";
        byte* other = memory.Page(5);
        return ProbeFault.AlsoInSystemCalls(
            userfault, detail, "read(2) from a pipe into page 5 waited for it", other,
            touch => Serve(userfault, other, touch));
    }

    /// <summary>Installs the page that a thread touches; what went wrong, or null.</summary>
    private static string? Serve(UserfaultDescriptor userfault, byte* page, Action touch)
    {
        byte* content = stackalloc byte[2 * Pages.Size];
        byte* source = (byte*)Pages.AlignUp((long)content, Pages.Size);
        new Span<byte>(source, Pages.Size).Fill(Content);
        return ProbeFault.Serve(
            userfault, page, touch,
            () =>
            {
                ulong copied;
                return Native.sn_uffd_copy(userfault.Number, (ulong)page, (ulong)source, Pages.Size, &copied);
            });
    }

    private static bool IsWritten(PagemapDescriptor pagemap, byte* page)
    {
        PageRegion run;
        ulong count, walked;
        int errno = Native.sn_pagemap_scan(
            pagemap.Number, (ulong)page, (ulong)page + Pages.Size, (ulong)PageCategories.Written, 0,
            (ulong)PageCategories.Present, 0, &run, 1, &count, &walked);
        return errno == 0 && count == 1;
    }
}
