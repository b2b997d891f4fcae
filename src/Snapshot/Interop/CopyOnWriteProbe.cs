using Snapshot.Base;
using Result = Snapshot.Interop.ProbeFault.Result;

namespace Snapshot.Interop;

/// <summary>
/// Whether a write can be held back until the page was copied: a thread writes one that is protected, which
/// must still have its old content when the kernel tells of it, and the new one afterwards; then the same by
/// a system call.
/// </summary>
internal static unsafe class CopyOnWriteProbe
{
    private const int PageCount = 8;
    private const byte Before = 7;
    private const byte After = 9;

    internal static Result Run()
    {
        int errno = UserfaultDescriptor.TryOpenForWrites(out UserfaultDescriptor? userfault);
        if (userfault is null) return Result.Nothing("a userfaultfd cannot be opened", errno);
        using (userfault)
        using (ProbeMemory memory = new(PageCount))
            return memory.Exists ? Try(userfault, memory) : Result.Nothing("no memory to try it on");
    }

    private static Result Try(UserfaultDescriptor userfault, ProbeMemory memory)
    {
        new Span<byte>(memory.Page(0), PageCount * Pages.Size).Fill(Before);
        int errno = Native.sn_uffd_register_wp(userfault.Number, (ulong)memory.Address, memory.Bytes);
        if (errno != 0) return Result.Nothing("a range cannot be registered", errno);
        errno = Native.sn_uffd_protect(userfault.Number, (ulong)memory.Address, memory.Bytes, on: 1);
        if (errno != 0) return Result.Nothing("a range cannot be protected", errno);

        byte* page = memory.Page(3);
        byte written = After;
        byte* source = &written;
        string? wrong = Serve(userfault, page, () => ProbeCalls.memcpy(page, source, 1));
        if (wrong is not null) return Result.Nothing($"wrote page 3; {wrong}");
        if (*page != After) return Result.Nothing($"wrote {After} to page 3, and read {*page}");

        const string detail = "a write to page 3 waited while it was protected";
        byte* other = memory.Page(5);
        return ProbeFault.AlsoInSystemCalls(
            userfault, detail, "read(2) from a pipe into page 5 waited, too", other,
            touch => Serve(userfault, other, touch));
    }

    /// <summary>Lifts the protection of a page that a thread writes; what went wrong, or null.</summary>
    private static string? Serve(UserfaultDescriptor userfault, byte* page, Action touch)
    {
        byte seen = 0;
        byte* content = &seen;
        string? wrong = ProbeFault.Serve(
            userfault, page, touch,
            () =>
            {
                *content = *page;
                return Native.sn_uffd_protect(userfault.Number, (ulong)page, Pages.Size, on: 0);
            });
        return wrong ?? (seen == Before ? null : $"it had been written already when the kernel told of it");
    }
}
