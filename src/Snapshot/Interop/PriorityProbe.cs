namespace Snapshot.Interop;

/// <summary>Whether a thread may look at its priority and lower it.</summary>
internal static unsafe class PriorityProbe
{
    /// <summary>
    /// Lowers the priority of a thread made for it: only with privilege could it be raised again.
    /// </summary>
    internal static Finding Run()
    {
        Finding finding = default;
        Thread thread = new(() => finding = LowerAndLook()) { IsBackground = true, Name = "snapshot probe" };
        thread.Start();
        thread.Join();
        return finding;
    }

    private static Finding LowerAndLook()
    {
        int raised;
        int errno = Native.sn_thread_nice(1, &raised);
        if (errno != 0) return Finding.No("a thread's priority cannot be lowered", errno);

        // Asked for once more, it has it: nothing is raised.
        errno = Native.sn_thread_nice(1, &raised);
        return errno == 0 && raised == 0
            ? new Finding(true, "a thread lowered its priority, and has it")
            : Finding.No("a thread lowered its priority, and does not have it");
    }
}
