namespace Snapshot.Machines.PowerCut;

/// <summary>One entry of a log: a write, a flush, or both in one.</summary>
/// <param name="Flags">As in the kernel's dm-log-writes.</param>
/// <param name="Offset">Where on the disk, bytes.</param>
/// <param name="Length">How much, bytes; 0 for a flush alone.</param>
/// <param name="DataOffset">Where its data is in the log.</param>
internal readonly record struct LoggedWrite(ulong Flags, long Offset, long Length, long DataOffset)
{
    internal const ulong Discard = 4;

    private const ulong Flush = 1;
    private const ulong ForceUnitAccess = 2;

    /// <summary>Whether all that was written before is on the medium.</summary>
    internal bool IsFlush => (Flags & Flush) != 0;

    /// <summary>Whether it is itself on the medium once it is done.</summary>
    internal bool IsDurable => (Flags & ForceUnitAccess) != 0;
}
