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
/// A userfaultfd in asynchronous write-protect mode. Shared by every tracker of a session; closing it ends the
/// registration of all ranges.
/// </summary>
/// <remarks>
/// Always opened in user-mode-only form, which an ordinary user may do. That form refuses to wait for a fault of the
/// kernel; asynchronous mode never waits, so writes by system calls are tracked all the same.
/// </remarks>
internal sealed class UserfaultDescriptor : KernelDescriptor
{
    internal const UserfaultFeatures AsyncWriteProtect =
        UserfaultFeatures.WriteProtectAsync | UserfaultFeatures.WriteProtectUnpopulated;

    private UserfaultDescriptor(int fd) : base(fd)
    {
    }

    internal static unsafe int TryOpen(out UserfaultDescriptor? opened)
    {
        int fd;
        int errno = Native.sn_uffd_open(userModeOnly: 1, (ulong)AsyncWriteProtect, &fd);
        opened = errno == 0 ? new UserfaultDescriptor(fd) : null;
        return errno;
    }

    internal static UserfaultDescriptor Open()
    {
        int errno = TryOpen(out UserfaultDescriptor? opened);
        return opened ?? throw NativeError.For(
            errno, "userfaultfd",
            "Use content-hash tracking, or allow the userfaultfd system call (seccomp, CONFIG_USERFAULTFD).");
    }
}

/// <summary>/proc/self/pagemap, open for scans of this process's memory.</summary>
internal sealed class PagemapDescriptor : KernelDescriptor
{
    private PagemapDescriptor(int fd) : base(fd)
    {
    }

    internal static unsafe int TryOpen(out PagemapDescriptor? opened)
    {
        int fd;
        int errno = Native.sn_pagemap_open(&fd);
        opened = errno == 0 ? new PagemapDescriptor(fd) : null;
        return errno;
    }

    internal static PagemapDescriptor Open()
    {
        int errno = TryOpen(out PagemapDescriptor? opened);
        return opened ?? throw NativeError.For(
            errno, "open /proc/self/pagemap", "Mount /proc in the container, or use content-hash tracking.");
    }
}
