using Snapshot.Base;

namespace Snapshot.Interop;

/// <summary>
/// Whether protection tells that memory is what it was: a few pages are protected, then dropped and written
/// again, read where they were dropped, replaced, and moved to where others were. None of these may count as
/// protected, and all can be read by a system call. foreign.c relies on it.
/// </summary>
internal static unsafe class BufferProbe
{
    private const int PageCount = 12;

    internal static Finding Run()
    {
        int errno = UserfaultDescriptor.TryOpenForWrites(out UserfaultDescriptor? userfault);
        if (userfault is null) return Finding.No("a userfaultfd cannot be opened", errno);
        using (userfault)
        {
            errno = PagemapDescriptor.TryOpen(ScanMode.Look, out PagemapDescriptor? pagemap);
            if (pagemap is null) return Finding.No("/proc/self/pagemap cannot be opened", errno);
            using (pagemap)
            using (ProbeMemory memory = new(PageCount))
                return memory.Exists ? Try(userfault, pagemap, memory) : Finding.No("no memory to try it on");
        }
    }

    private static Finding Try(UserfaultDescriptor userfault, PagemapDescriptor pagemap, ProbeMemory memory)
    {
        new Span<byte>(memory.Page(0), PageCount * Pages.Size).Fill(1);
        int errno = Native.sn_uffd_register_wp(userfault.Number, (ulong)memory.Address, memory.Bytes);
        if (errno != 0) return Finding.No("a range cannot be registered", errno);
        errno = Native.sn_uffd_protect(userfault.Number, (ulong)memory.Address, memory.Bytes, on: 1);
        if (errno != 0) return Finding.No("a range cannot be protected", errno);

        errno = Native.sn_memory_discard((ulong)memory.Page(1), 2 * Pages.Size);
        if (errno != 0) return Finding.No("pages cannot be dropped", errno);
        *memory.Page(1) = 2;
        byte seen;
        errno = Native.sn_memory_read((ulong)memory.Page(2), 1, &seen);
        if (errno != 0) return Finding.No("memory cannot be read by a system call", errno);
        if (!TryMove(memory, from: 4, to: 6)) return Finding.No("a page cannot be moved");
        nint replaced = ProbeCalls.mmap(
            (nint)memory.Page(8), Pages.Size, ProbeCalls.ReadWrite,
            ProbeCalls.PrivateAnonymous | ProbeCalls.Fixed, -1, 0);
        if (replaced != (nint)memory.Page(8)) return Finding.No("a page cannot be replaced");
        *memory.Page(8) = 2;
        const string what = "protected 12 pages, dropped 1 and 2, moved 4 to 6, replaced 8";
        return ProbeMemory.Verdict(
            what, "0 3 5 7 9 10 11",
            memory.Seen(pagemap, PageCategories.Present, ScanMode.Look, forbid: PageCategories.Written));
    }

    private static bool TryMove(ProbeMemory memory, int from, int to)
    {
        // Not the function of libc: UCX, under MPICH, has one in its place that loses the target. The page
        // went to address 0 then, where root may have memory, and null references were none.
        nint target = (nint)memory.Page(to);
        return ProbeCalls.syscall(
            ProbeCalls.Mremap, memory.Page(from), Pages.Size, Pages.Size, (void*)ProbeCalls.MoveTo,
            target) == target;
    }
}
