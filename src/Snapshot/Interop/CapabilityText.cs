namespace Snapshot.Interop;

/// <summary>
/// What is to be said of a capability, and what it needs: a line of the table before it is probed.
/// </summary>
/// <param name="Capability">Which.</param>
/// <param name="Name">For people.</param>
/// <param name="Pretence">The word of <see cref="Pretences.Variable"/> that takes it away.</param>
/// <param name="Consequence">What follows from its lack.</param>
/// <param name="Remedy">What an administrator can do about that; empty: nothing.</param>
/// <param name="Needs">Without these it is not even tried.</param>
internal sealed record CapabilityText(
    Capability Capability, string Name, string Pretence, string Consequence, string Remedy = "",
    params Capability[] Needs)
{
    private const string AllowUserfault =
        "Allow the system call userfaultfd: CONFIG_USERFAULTFD in the kernel, and in a container a seccomp " +
        "profile that has it (docker and podman: --security-opt seccomp=PROFILE).";

    private const string AllowPrivilege =
        "Any of these permits it: 'sysctl -w vm.unprivileged_userfaultfd=1'; 'chgrp GROUP " +
        "/dev/userfaultfd' and 'chmod 660 /dev/userfaultfd' (Linux 6.1); the capability CAP_SYS_PTRACE for " +
        "the program.";

    /// <summary>All of them, in the order in which they are shown; what is needed comes first.</summary>
    internal static IReadOnlyList<CapabilityText> All { get; } =
    [
        new(Capability.SmallPages, "page size", "no-small-pages",
            "Snapshot cannot run here: it needs pages of 4096 bytes.", "Boot a kernel with pages of 4 KiB."),
        new(Capability.HugePages, "huge pages", "no-huge-pages",
            "Arenas use 4 KiB pages: more faults at first touch, slower tracking.",
            "'echo madvise > /sys/kernel/mm/transparent_hugepage/enabled' permits them where a program " +
            "asks."),
        new(Capability.FixedNoReplace, "MAP_FIXED_NOREPLACE", "no-noreplace",
            "A taken address is noticed after the mapping, which is then undone.", Kernel("4.17")),
        new(Capability.MappingNames, "mapping names", "no-names",
            "Arenas have no name in /proc/PID/maps.", "CONFIG_ANON_VMA_NAME in Linux 5.17 or newer has it."),
        new(Capability.Populate, "MADV_POPULATE_WRITE", "no-populate",
            "Memory for copies is faulted in page by page.", Kernel("5.14")),
        new(Capability.Collapse, "MADV_COLLAPSE", "no-collapse",
            "Huge pages that were split stay so.", Kernel("6.1"), Capability.HugePages),
        new(Capability.FutexWaitv, "futex_waitv", "no-waitv",
            "A thread that waits for a lock in an arena notices a checkpoint up to a millisecond later.",
            $"{Kernel("5.16")} In a container the seccomp profile must have it, too."),
        new(Capability.Priorities, "thread priorities", "no-priorities",
            "The drain has the priority of the application, and competes with it for processors.",
            "A seccomp profile that has getpriority and setpriority."),
        new(Capability.Pagemap, "/proc/self/pagemap", "no-pagemap",
            "All committed memory is read and hashed to find what changed, also what was never used.",
            "Mount /proc in the container; a program that changes its user must be dumpable (prctl " +
            "PR_SET_DUMPABLE)."),
        new(Capability.PagemapScan, "PAGEMAP_SCAN", "no-scan",
            "Changed pages cannot be found by asynchronous write protection.", Kernel(
                "6.7"), Capability.Pagemap),
        new(Capability.SoftDirty, "soft-dirty", "no-soft-dirty",
            "Without write tracking changed pages are found by content hash.",
            "CONFIG_MEM_SOFT_DIRTY has it (x86-64, s390x, ppc64); Debian's kernels do.", Capability.Pagemap),
        new(Capability.Userfault, "userfaultfd", "no-userfaultfd",
            "Changed pages are found by soft-dirty bits or by content hash, and copied before they are " +
            "written.",
            AllowUserfault),
        new(Capability.WriteTracking, "write tracking", "no-write-tracking",
            "Changed pages are found by soft-dirty bits or by content hash.", Kernel(
                "6.7"), Capability.Userfault,
            Capability.PagemapScan),
        new(Capability.CopyOnWrite, "copy-on-write", "no-copy-on-write",
            "Changed pages are copied before the pause and inside it.", Kernel("5.7"), Capability.Userfault,
            Capability.Pagemap),
        new(Capability.CopyOnWriteInSystemCalls, "copy-on-write in system calls", "no-copy-on-write-in-calls",
            "Copy-on-write is not chosen by itself: a system call that writes to an arena would fail with " +
            "EFAULT.",
            AllowPrivilege, Capability.CopyOnWrite),
        new(Capability.CopyOnWriteOfBuffers, "copy-on-write of buffers", "no-copy-on-write-of-buffers",
            "What changed of protected buffers is copied inside the pause.", Kernel("6.13"),
            Capability.CopyOnWriteInSystemCalls, Capability.PagemapScan),
        new(Capability.PagesOnDemand, "pages on demand", "no-pages-on-demand",
            "A restart is eager: everything is read before the first participant runs.", Kernel("6.7"),
            Capability.WriteTracking),
        new(
            Capability.PagesOnDemandInSystemCalls, "pages on demand in system calls",
            "no-pages-on-demand-in-calls",
            "After a lazy restart a system call that touches a page not yet there fails with EFAULT.",
            AllowPrivilege, Capability.PagesOnDemand),
        new(Capability.NativeThreads, "native threads", "no-native-threads",
            "Threads of C, C++ and Fortran cannot be captured: OpenNative is refused.",
            "A processor of x86-64 with xsave has them; fibers work on all."),
    ];

    /// <summary>The line about one capability.</summary>
    internal static CapabilityText Of(Capability capability) =>
        All.First(text => text.Capability == capability);

    private static string Kernel(string release) => $"Linux {release} or newer has it.";
}
