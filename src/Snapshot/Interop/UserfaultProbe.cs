namespace Snapshot.Interop;

/// <summary>Whether a userfaultfd may be opened, and of which kind.</summary>
internal static unsafe class UserfaultProbe
{
    internal static Finding Run()
    {
        int privileged = Open(userModeOnly: 0);
        int userMode = Open(userModeOnly: 1);
        int device = OpenDevice();
        string sysctl = SystemFile.Text("/proc/sys/vm/unprivileged_userfaultfd") ?? "absent";
        string how = (privileged, userMode, device) switch
        {
            (0, _, _) => "privileged",
            (_, _, 0) => "privileged, by the device",
            (_, 0, _) => "user-mode only",
            _ => $"cannot be opened: {Finding.Text(userMode)}",
        };
        return new Finding(
            privileged == 0 || userMode == 0 || device == 0,
            $"{how}; vm.unprivileged_userfaultfd={sysctl}; /dev/userfaultfd " +
            (device == 0 ? "may be opened" : $"may not: {Finding.Text(device)}"));
    }

    /// <summary>0 when a userfaultfd of this kind can be opened, else the errno.</summary>
    private static int Open(int userModeOnly)
    {
        int fd;
        int errno = Native.sn_uffd_open(userModeOnly, (ulong)UserfaultFeatures.None, &fd);
        if (errno == 0) _ = Native.sn_close(fd);
        return errno;
    }

    private static int OpenDevice()
    {
        int fd;
        int errno = Native.sn_uffd_open_device((ulong)UserfaultFeatures.None, &fd);
        if (errno == 0) _ = Native.sn_close(fd);
        return errno;
    }
}
