namespace Snapshot.Inspection;

/// <summary>Something that a machine may let Snapshot use: its kernel, its limits, its filters.</summary>
/// <remarks>
/// Each has a word by which <c>SNAPSHOT_PRETEND</c> takes it away: <see cref="MachineCapability.Pretence"/>.
/// </remarks>
internal enum Capability
{
    /// <summary>The page size is 4096 bytes. Without it nothing of Snapshot runs.</summary>
    SmallPages,

    /// <summary>Memory may be in pages of 2 MiB.</summary>
    HugePages,

    /// <summary>
    /// Mapping at a fixed address refuses to replace what is there (MAP_FIXED_NOREPLACE, Linux 4.17).
    /// </summary>
    FixedNoReplace,

    /// <summary>Anonymous memory can be named in /proc/PID/maps (PR_SET_VMA, Linux 5.17).</summary>
    MappingNames,

    /// <summary>Many pages can be faulted in by one call (MADV_POPULATE_WRITE, Linux 5.14).</summary>
    Populate,

    /// <summary>Small pages can be made a huge one (MADV_COLLAPSE, Linux 6.1).</summary>
    Collapse,

    /// <summary>A thread can sleep on two words at once (futex_waitv, Linux 5.16).</summary>
    FutexWaitv,

    /// <summary>A thread may look at its priority and lower it.</summary>
    Priorities,

    /// <summary>A process may read which of its pages have memory (/proc/self/pagemap).</summary>
    Pagemap,

    /// <summary>The kernel lists such pages by itself (PAGEMAP_SCAN, Linux 6.7).</summary>
    PagemapScan,

    /// <summary>The kernel marks pages that are written (soft-dirty, CONFIG_MEM_SOFT_DIRTY).</summary>
    SoftDirty,

    /// <summary>
    /// A userfaultfd for faults of user code may be opened (Linux 5.11; any user, unless forbidden).
    /// </summary>
    Userfault,

    /// <summary>
    /// Write protection that the kernel lifts by itself (Linux 6.7) and a scan name exactly the pages that
    /// were written, also by system calls.
    /// </summary>
    WriteTracking,

    /// <summary>
    /// A write to a protected page waits until it is let through, so that the page can be copied before.
    /// </summary>
    CopyOnWrite,

    /// <summary>
    /// A system call that writes to such a page waits, too. Without it, it fails with EFAULT.
    /// </summary>
    CopyOnWriteInSystemCalls,

    /// <summary>
    /// Protection goes with memory that is dropped, replaced or moved, so that it can be told of what was
    /// read whether it was what had been protected.
    /// </summary>
    CopyOnWriteOfBuffers,

    /// <summary>A page that is touched is fetched then, and comes unwritten: a restart can be lazy.</summary>
    PagesOnDemand,

    /// <summary>
    /// A system call that touches such a page waits for it. Without it, it fails with EFAULT.
    /// </summary>
    PagesOnDemandInSystemCalls,

    /// <summary>Threads of C, C++ and Fortran can be captured (x86-64 with xsave).</summary>
    NativeThreads,
}
