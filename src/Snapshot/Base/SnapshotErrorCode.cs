namespace Snapshot;

/// <summary>What went wrong, as a program tells it apart. Each code has one meaning.</summary>
public enum SnapshotErrorCode
{
    /// <summary>The native library is missing, unloadable or of another build.</summary>
    NativeLibrary = 1,

    /// <summary>What was asked for cannot be done here: the machine or another option rules it out.</summary>
    Unsupported,

    /// <summary>
    /// A system call failed; <see cref="SnapshotException.Step"/> and <see cref="SnapshotException.Errno"/>
    /// tell which and why.
    /// </summary>
    SystemCall,

    /// <summary>Addresses that an arena needs are taken.</summary>
    AddressTaken,

    /// <summary>An arena has no room for an allocation. Nothing was changed.</summary>
    ArenaFull,

    /// <summary>There is something of that name already. Nothing was changed.</summary>
    NameTaken,

    /// <summary>
    /// A layout, length or capacity that the program declares differs from what exists under that name.
    /// </summary>
    LayoutMismatch,

    /// <summary>A checkpoint is running already.</summary>
    Busy,

    /// <summary>
    /// A handler aborted the checkpoint; <see cref="SnapshotException.AbortCode"/> is what it gave.
    /// </summary>
    Aborted,

    /// <summary>
    /// The timeout of a checkpoint passed before everybody had come; the message names whoever is late.
    /// </summary>
    TimedOut,

    /// <summary>A handler threw; the exception is the inner one.</summary>
    HandlerFailed,

    /// <summary>A thread waited for a checkpoint that cannot happen while it waits.</summary>
    SelfDeadlock,

    /// <summary>The memory for staging changed pages is used up.</summary>
    StagingFull,

    /// <summary>
    /// What was asked for does not exist: a store, a generation, a file, a process or a protected buffer.
    /// </summary>
    NotFound,

    /// <summary>A fresh start was asked for in a store that holds generations.</summary>
    StoreNotEmpty,

    /// <summary>Somebody else writes the store: another process, or another session of this one.</summary>
    StoreBusy,

    /// <summary>
    /// Reading, writing or syncing a file failed; <see cref="SnapshotException.Step"/> and
    /// <see cref="SnapshotException.Errno"/> tell which and why.
    /// </summary>
    StoreIo,

    /// <summary>
    /// Bytes of the store are not what was written: a checksum, a bound or a structure is wrong.
    /// </summary>
    Corrupt,

    /// <summary>A file is of a format version this library does not read.</summary>
    UnsupportedFormat,

    /// <summary>An image needs an ancestor that is missing or is not the one it was made from.</summary>
    ChainBroken,

    /// <summary>
    /// A commit failed, and nobody knows yet whether it became durable. Open the store again to find out.
    /// </summary>
    OutcomeUnknown,

    /// <summary>A restart failed after the session had begun: the session cannot go on.</summary>
    RestartFailed,

    /// <summary>
    /// The image has fibers that this build cannot resume; the message names the frame and what differs.
    /// </summary>
    FiberMismatch,

    /// <summary>An exception left the outermost frame of a fiber; it is the inner one.</summary>
    FiberFailed,

    /// <summary>
    /// Native code that the program gives cannot be used in its place; the message names each fault and its
    /// remedy.
    /// </summary>
    NativeModule,

    /// <summary>A directory or file of a store is one that others may change.</summary>
    Untrusted,

    /// <summary>
    /// There are as many of something as there can be: arenas, participants, fibers, native threads, or
    /// generations. Nothing was changed.
    /// </summary>
    LimitReached,

    /// <summary>
    /// The image has something that the program has not taken over yet: protected buffers or native modules;
    /// the message names them.
    /// </summary>
    Unclaimed,

    /// <summary>
    /// Handlers took longer to resume than a participant waits at the gate; the message names them.
    /// </summary>
    GateTimeout,

    /// <summary>An environment variable has a value that the library does not know.</summary>
    InvalidSetting,

    /// <summary>
    /// Memory of a protected buffer is not mapped, or cannot be read, or went while it was written to the
    /// image; the message names the buffer.
    /// </summary>
    MemoryGone,

    /// <summary>A call of MPI failed; <see cref="SnapshotException.Step"/> tells which.</summary>
    Mpi,

    /// <summary>Another rank of the job could not do its part; the message has its words.</summary>
    RankFailed,

    /// <summary>Ranks of a job did not call the same, at the same step.</summary>
    OutOfStep,

    /// <summary>A message between ranks was not received where a job was to be captured.</summary>
    OpenMessage,
}
