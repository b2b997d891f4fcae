namespace Snapshot.C.Interface;

/// <summary>
/// Codes of snapshot.h that <see cref="SnapshotErrorCode"/> has not, in C# exceptions of the runtime.
/// </summary>
internal enum ErrorCode
{
    InvalidArgument = 101,
    Misuse,
    Cancelled,
    Forked,
    OutOfMemory,
    Internal,
}
