namespace Snapshot;

/// <summary>What went wrong, as a program tells it apart.</summary>
public enum SnapshotErrorCode
{
    /// <summary>The native library is missing, unloadable or of another build.</summary>
    NativeLibrary = 1,

    /// <summary>What was asked for cannot be done here: the machine or another option rules it out.</summary>
    Unsupported,

    /// <summary>
    /// A system call failed; <see cref="SnapshotException.Step"/> and <see cref="SnapshotException.Errno"/> tell
    /// which and why.
    /// </summary>
    SystemCall,

    /// <summary>The address at which an arena must be mapped is taken.</summary>
    AddressTaken,

    /// <summary>
    /// An arena has no room for an allocation, or a limit of the session is reached. Nothing was changed.
    /// </summary>
    ArenaFull,

    /// <summary>An arena, root or buffer of that name does not exist, or exists already.</summary>
    Name,

    /// <summary>The layout of a type differs from the one in the image.</summary>
    LayoutMismatch,

    /// <summary>A checkpoint is running already.</summary>
    Busy,

    /// <summary>A handler aborted the checkpoint; <see cref="SnapshotException.AbortCode"/> is what it gave.</summary>
    Aborted,

    /// <summary>The deadline passed before every participant had come; the message names the late ones.</summary>
    TimedOut,

    /// <summary>A handler threw; the exception is the inner one.</summary>
    HandlerFailed,

    /// <summary>A thread waited for a checkpoint that cannot happen while it waits.</summary>
    SelfDeadlock,

    /// <summary>The memory for staging changed pages is used up.</summary>
    StagingFull,

    /// <summary>The store does not hold what was asked for.</summary>
    NotFound,

    /// <summary>A fresh start was asked for in a store that holds generations.</summary>
    StoreNotEmpty,

    /// <summary>Another process, or another session, has the store open for writing.</summary>
    StoreBusy,

    /// <summary>Reading or writing the store failed.</summary>
    StoreIo,

    /// <summary>Bytes of the store are not what was written: a checksum, a bound or a structure is wrong.</summary>
    Corrupt,

    /// <summary>A file is of a format version this library does not read.</summary>
    UnsupportedFormat,

    /// <summary>An image needs an ancestor that is missing or is not the one it was made from.</summary>
    ChainBroken,

    /// <summary>
    /// A commit failed at a point where it is unknown whether it became durable; open the store again to learn it.
    /// </summary>
    OutcomeUnknown,

    /// <summary>
    /// A resume part failed after a restart, or what the image needs did not come back: the session cannot go on.
    /// </summary>
    RestartFailed,

    /// <summary>
    /// The image has fibers that this build cannot resume; the message names the frame and what differs.
    /// </summary>
    FiberMismatch,

    /// <summary>An exception left the outermost frame of a fiber; it is the inner one.</summary>
    FiberFailed,

    /// <summary>
    /// A library cannot be a native module, or is not the one of the image; the message names each fault and its
    /// remedy.
    /// </summary>
    NativeModule,

    /// <summary>
    /// A directory or file of a store belongs to somebody else, may be written by everybody, or is no file at all.
    /// </summary>
    Untrusted,
}
