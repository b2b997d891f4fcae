using System.Runtime.InteropServices;

namespace Snapshot.Interop;

/// <summary>An open descriptor of the C part, closed exactly once.</summary>
internal abstract class KernelDescriptor : SafeHandle
{
    private protected KernelDescriptor(int fd) : base(-1, ownsHandle: true) => SetHandle(fd);

    public override bool IsInvalid => handle < 0;

    /// <summary>The number, valid while the caller knows that the descriptor is not disposed.</summary>
    internal int Number => (int)handle;

    protected override bool ReleaseHandle() => Native.sn_close((int)handle) == 0;
}

/// <summary>
/// A userfaultfd in write-protect mode. Shared by every tracker of a session that uses it; closing it ends
/// the registration of all ranges.
/// </summary>
/// <remarks>
/// For tracking alone it is asynchronous, and opened in user-mode-only form, which an ordinary user may do.
/// That form refuses to wait for a fault of the kernel; asynchronous mode never waits, so writes by system
/// calls are tracked all the same. Where pages are to be fetched when they are touched, or copied before they
/// are written (which needs synchronous mode), waiting is the point: then it is opened in the full form where
/// that is allowed.
/// </remarks>
internal sealed class UserfaultDescriptor : KernelDescriptor
{
    internal const UserfaultFeatures AsyncWriteProtect =
        UserfaultFeatures.WriteProtectAsync | UserfaultFeatures.WriteProtectUnpopulated;

    private UserfaultDescriptor(int fd, bool waitsInSystemCalls) : base(fd) =>
        WaitsInSystemCalls = waitsInSystemCalls;

    /// <summary>
    /// Whether a system call that touches a page which is not there, or must not be written yet, waits. Else
    /// it fails with EFAULT.
    /// </summary>
    internal bool WaitsInSystemCalls { get; }

    internal static int TryOpen(out UserfaultDescriptor? opened) =>
        TryOpenUserMode(AsyncWriteProtect, out opened);

    /// <summary>Asynchronous, and in the full form where that is allowed: pages can be fetched.</summary>
    internal static int TryOpenForFaults(out UserfaultDescriptor? opened) =>
        TryOpenFull(AsyncWriteProtect, out opened);

    /// <summary>Synchronous, and in the full form where that is allowed: writes can be served.</summary>
    internal static int TryOpenForWrites(out UserfaultDescriptor? opened) =>
        TryOpenFull(UserfaultFeatures.WriteProtect, out opened);

    /// <inheritdoc cref="TryOpenForWrites"/>
    internal static UserfaultDescriptor OpenForWrites()
    {
        int errno = TryOpenForWrites(out UserfaultDescriptor? opened);
        return opened ?? throw NativeError.For(
            errno, "userfaultfd",
            "Use another CaptureMode than CopyOnWrite, or allow the userfaultfd system call.");
    }

    /// <summary>By the system call, or where a filter forbids that, by the device.</summary>
    private static unsafe int TryOpenUserMode(UserfaultFeatures features, out UserfaultDescriptor? opened)
    {
        int fd;
        int errno = Native.sn_uffd_open(userModeOnly: 1, (ulong)features, &fd);
        if (errno != 0 && Native.sn_uffd_open_device((ulong)features, &fd) == 0) errno = 0;
        opened = errno == 0 ? new UserfaultDescriptor(fd, waitsInSystemCalls: false) : null;
        return errno;
    }

    /// <summary>
    /// The full form, by privilege, by sysctl or by the device; else the user-mode-only one.
    /// </summary>
    private static unsafe int TryOpenFull(UserfaultFeatures features, out UserfaultDescriptor? opened)
    {
        int fd;
        bool full = Native.sn_uffd_open(userModeOnly: 0, (ulong)features, &fd) == 0
            || Native.sn_uffd_open_device((ulong)features, &fd) == 0;
        if (!full) return TryOpenUserMode(features, out opened);
        opened = new UserfaultDescriptor(fd, waitsInSystemCalls: true);
        return 0;
    }

    /// <summary>
    /// Ends the registration of a range; who waits in it is woken. Nothing of it need be registered.
    /// </summary>
    /// <exception cref="SnapshotException">SystemCall: it is as it was.</exception>
    internal void Unregister(ulong start, ulong bytes) => NativeError.ThrowIfNoMemory(
        Native.sn_uffd_unregister(Number, start, bytes), "UFFDIO_UNREGISTER",
        "The kernel has no memory for it; memory limits and vm.max_map_count are causes. The next " +
        "checkpoint tries again.");

    /// <param name="forFaults">Whether pages are to be fetched when they are touched.</param>
    internal static UserfaultDescriptor Open(bool forFaults = false)
    {
        int errno = forFaults ? TryOpenForFaults(out UserfaultDescriptor? opened) : TryOpen(out opened);
        return opened ?? throw NativeError.For(
            errno, "userfaultfd",
            "Use content-hash tracking, or allow the userfaultfd system call (seccomp, CONFIG_USERFAULTFD).");
    }
}

/// <summary>An event of the C part that a thread can be told to end by.</summary>
internal sealed class EventDescriptor : KernelDescriptor
{
    private EventDescriptor(int fd) : base(fd)
    {
    }

    internal static unsafe EventDescriptor Open()
    {
        int fd;
        NativeError.ThrowIfFailed(
            Native.sn_event_open(&fd), "eventfd", "Raise the limit of open files (ulimit -n).");
        return new EventDescriptor(fd);
    }

    internal void Signal() => NativeError.ThrowIfFailed(
        Native.sn_event_signal(Number), "write to an eventfd",
        "This does not happen on a supported kernel; please report it.");
}

/// <summary>/proc/self/pagemap, open to look through this process's memory.</summary>
internal sealed class PagemapDescriptor : KernelDescriptor
{
    private PagemapDescriptor(int fd, ScanMode looksBy) : base(fd) => LooksBy = looksBy;

    /// <summary>How: <see cref="ScanMode.Look"/>, by a scan, or <see cref="ScanMode.Entries"/>.</summary>
    internal ScanMode LooksBy { get; }

    /// <summary>Why a file of /proc/self that the probe could open cannot be opened any more.</summary>
    internal static string ChangedUser =>
        "The program may have changed its user since Snapshot probed: then it must be dumpable " +
        "(prctl PR_SET_DUMPABLE) before it opens a session.";

    internal static unsafe int TryOpen(ScanMode looksBy, out PagemapDescriptor? opened)
    {
        int fd;
        int errno = Native.sn_pagemap_open(&fd);
        opened = errno == 0 ? new PagemapDescriptor(fd, looksBy) : null;
        return errno;
    }

    /// <param name="canScan">Whether the kernel has a scan.</param>
    internal static PagemapDescriptor Open(bool canScan)
    {
        int errno = TryOpen(canScan ? ScanMode.Look : ScanMode.Entries, out PagemapDescriptor? opened);
        return opened ?? throw NativeError.For(
            errno, "open /proc/self/pagemap",
            $"{ChangedUser} Or set {Pretences.Variable}=no-pagemap: then all memory is read to find what " +
            "changed.");
    }
}

/// <summary>/proc/self/clear_refs, open to clear the soft-dirty bits of this process.</summary>
internal sealed class SoftDirtyDescriptor : KernelDescriptor
{
    private SoftDirtyDescriptor(int fd) : base(fd)
    {
    }

    internal static unsafe int TryOpen(out SoftDirtyDescriptor? opened)
    {
        int fd;
        int errno = Native.sn_soft_dirty_open(&fd);
        opened = errno == 0 ? new SoftDirtyDescriptor(fd) : null;
        return errno;
    }

    /// <summary>
    /// Clears the bit of every page of the process; 0 or an errno, and then none may be cleared.
    /// </summary>
    internal int Clear() => Native.sn_soft_dirty_clear(Number);
}

/// <summary>/proc/self/maps, open to ask what is mapped where.</summary>
internal sealed class MapsDescriptor : KernelDescriptor
{
    private MapsDescriptor(int fd) : base(fd)
    {
    }

    internal static unsafe int TryOpen(out MapsDescriptor? opened)
    {
        int fd;
        int errno = Native.sn_maps_open(&fd);
        opened = errno == 0 ? new MapsDescriptor(fd) : null;
        return errno;
    }

    /// <summary>
    /// 0, ENOENT where nothing is mapped at an address, or another errno where the kernel is not to be asked.
    /// </summary>
    internal unsafe int Query(ulong address, out Mapping mapping)
    {
        mapping = default;
        fixed (Mapping* found = &mapping) return Native.sn_maps_query(Number, address, found);
    }
}
