using Snapshot.Base;
using Snapshot.Interop;

namespace Snapshot;

/// <summary>What this kernel and this process can do, found out once by trying.</summary>
/// <remarks>
/// Nothing here is concluded from a version number or from a call that merely succeeded: where it matters a page is
/// written and looked at. Immutable and thread-safe.
/// </remarks>
public sealed record KernelCapabilities
{
    internal const string PageSizeName = "page size";
    internal const string UserfaultName = "userfaultfd";
    internal const string WriteTrackingName = "write tracking";
    internal const string KernelWritesName = "writes by system calls";
    internal const string PagesOnDemandName = "pages on demand";
    internal const string PagesOnDemandInSystemCallsName = "pages on demand in system calls";
    internal const string CopyOnWriteName = "copy-on-write";
    internal const string CopyOnWriteInSystemCallsName = "copy-on-write in system calls";
    internal const string PagemapScanName = "PAGEMAP_SCAN";

    private static readonly Lazy<KernelCapabilities> Probed = new(Probe);

    internal KernelCapabilities()
    {
    }

    /// <summary>The capabilities of this process, probed at the first use.</summary>
    public static KernelCapabilities Current => Probed.Value;

    /// <summary>The kernel's release, for example "6.7.0".</summary>
    public required string KernelRelease { get; init; }

    /// <summary>Bytes of a page. Snapshot needs 4096.</summary>
    public required int PageSize { get; init; }

    /// <summary>The system's setting for huge pages: "always", "madvise", "never", or "unavailable".</summary>
    public required string HugePages { get; init; }

    /// <summary>
    /// A userfaultfd that also serves faults of the kernel may be opened (needs privilege or a sysctl).
    /// </summary>
    public required bool UserfaultPrivileged { get; init; }

    /// <summary>A userfaultfd limited to faults of user code may be opened (any user, unless forbidden).</summary>
    public required bool UserfaultUserMode { get; init; }

    /// <summary>
    /// Asynchronous write protection and PAGEMAP_SCAN together found exactly the page that was written.
    /// </summary>
    public required bool WriteProtectTracking { get; init; }

    /// <summary>A page written by read(2) was found, too. False leads to content-hash tracking.</summary>
    public required bool KernelWritesTracked { get; init; }

    /// <summary>A page that a thread touched was installed then, and came unwritten: a restart can be lazy.</summary>
    public required bool PagesOnDemand { get; init; }

    /// <summary>A system call that touched such a page waited for it. False: it fails with EFAULT.</summary>
    public required bool PagesOnDemandInSystemCalls { get; init; }

    /// <summary>
    /// A write to a protected page waited until it was let through, so that the page can be copied before.
    /// </summary>
    public required bool CopyOnWrite { get; init; }

    /// <summary>A system call that wrote to such a page waited, too. False: it fails with EFAULT.</summary>
    public required bool CopyOnWriteInSystemCalls { get; init; }

    /// <summary>PAGEMAP_SCAN tells populated from unpopulated pages.</summary>
    public required bool PagemapScan { get; init; }

    /// <summary>A thread can sleep on two words at once (futex_waitv).</summary>
    public required bool FutexWaitv { get; init; }

    /// <summary>Mapping at a fixed address refuses to replace what is there (MAP_FIXED_NOREPLACE).</summary>
    public required bool FixedNoReplace { get; init; }

    /// <summary>Anonymous memory can be named in /proc/self/maps.</summary>
    public required bool MappingNames { get; init; }

    /// <summary>The number of mappings a process may have (vm.max_map_count), or -1 when it cannot be read.</summary>
    public required long MaxMapCount { get; init; }

    /// <summary>
    /// The overcommit policy (vm.overcommit_memory): 0 heuristic, 1 always, 2 never; -1 when it cannot be read.
    /// </summary>
    public required int OvercommitPolicy { get; init; }

    /// <summary>
    /// Bytes this process may lock into memory (soft limit), <see cref="long.MaxValue"/> for unlimited, -1 when it
    /// cannot be read.
    /// </summary>
    public required long MemlockBytes { get; init; }

    /// <summary>Every finding with what follows from it, for people.</summary>
    public required IReadOnlyList<KernelCapability> Items { get; init; }

    /// <summary>
    /// Probes anew. Opens and maps what it needs and leaves nothing behind; a missing capability is a finding, not an
    /// exception.
    /// </summary>
    /// <returns>What was found.</returns>
    public static KernelCapabilities Probe() => CapabilityProbe.Run();

    /// <summary>Refuses a machine on which nothing of Snapshot can work.</summary>
    /// <exception cref="SnapshotException">Unsupported: the page size is not 4096.</exception>
    internal void ThrowIfUnsupported()
    {
        if (PageSize == Pages.Size) return;
        throw new SnapshotException(
            SnapshotErrorCode.Unsupported,
            $"The pages of this machine have {PageSize} bytes; Snapshot tracks and stores pages of {Pages.Size} " +
            "bytes. Use an x86-64 kernel.");
    }

    /// <summary>The named findings in one line.</summary>
    internal string Describe(params IEnumerable<string> names) => string.Join("; ",
        from name in names
        join item in Items on name equals item.Name
        select $"{item.Name}: {(item.Available ? "yes" : "no")}, {item.Detail}");
}
