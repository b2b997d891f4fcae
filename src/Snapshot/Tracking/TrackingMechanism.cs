namespace Snapshot;

/// <summary>How the pages that were written since the last checkpoint are found.</summary>
public enum TrackingMechanism
{
    /// <summary>
    /// Write protection where a probe showed that it works, else soft-dirty bits where the kernel has them,
    /// else content hash.
    /// </summary>
    Auto,

    /// <summary>
    /// The kernel notes the first write to each 4 KiB page (userfaultfd in asynchronous mode, Linux 6.7).
    /// Costs a fault of about a microsecond at that write and splits huge pages that are written in part.
    /// </summary>
    WriteProtect,

    /// <summary>
    /// A 128-bit hash of each page is compared with the one from the last checkpoint. Works everywhere; costs
    /// a read of all populated memory inside the pause, and rules out copying before the pause.
    /// </summary>
    ContentHash,

    /// <summary>
    /// The kernel marks each page at its first write (soft-dirty bits, CONFIG_MEM_SOFT_DIRTY); the marks are
    /// read and cleared inside the pause. Any user, any kernel that was built with it; keeps huge pages. One
    /// session of a process may use it, and nobody else: CRIU or a debugger that clears the marks of the
    /// process makes it lose writes.
    /// </summary>
    SoftDirty,

    /// <summary>
    /// Memory is protected and each first write is served by the library (userfaultfd in synchronous mode).
    /// What copy-on-write capture uses, and nothing else: choose it by <see cref="CaptureMode.CopyOnWrite"/>.
    /// </summary>
    ServedWriteProtect,

    /// <summary>
    /// The same without any permission, on any kernel: memory is protected by mprotect, and a handler of
    /// SIGSEGV serves each first write on the thread that makes it. All arenas are captured by copy-on-write.
    /// Never chosen by Auto, since a system call that writes to protected memory fails with EFAULT: call
    /// <see cref="Arena.OpenForWrite"/> before it. The program must not replace the handler of SIGSEGV, and
    /// the session can have no native threads.
    /// </summary>
    SignalWriteProtect,
}
