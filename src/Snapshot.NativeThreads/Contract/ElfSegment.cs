namespace Snapshot.NativeThreads;

/// <summary>
/// What a program header describes; the numbers are those of the ELF specification and of GNU.
/// </summary>
internal enum ElfSegmentType : uint
{
    Load = 1,
    Dynamic = 2,
    Interpreter = 3,
    Note = 4,
    ThreadLocal = 7,
    UnwindHeader = 0x6474e550,
    Stack = 0x6474e551,
    ReadOnlyAfterRelocation = 0x6474e552,
}

/// <summary>What may be done with the memory of a segment.</summary>
[Flags]
internal enum ElfAccess : uint
{
    None = 0,
    Execute = 1,
    Write = 2,
    Read = 4,
}

/// <summary>One program header: a part of the file and where it is in memory.</summary>
/// <param name="Type">What it is.</param>
/// <param name="Access">What may be done with it.</param>
/// <param name="Offset">Where it begins in the file, in bytes.</param>
/// <param name="FileSize">How much of it is in the file, in bytes; it ends within the file.</param>
/// <param name="Memory">Where it is in memory, as linked.</param>
/// <param name="Alignment">In bytes; 0 and 1 mean none.</param>
internal readonly record struct ElfSegment(
    ElfSegmentType Type, ElfAccess Access, ulong Offset, ulong FileSize, AddressRange Memory, ulong Alignment)
{
    /// <summary>Bytes of a program header.</summary>
    internal const ulong HeaderSize = 56;

    /// <summary>No address of a process is higher; sums of two cannot overflow.</summary>
    private const ulong AddressMax = 1UL << 47;

    internal bool IsWritable => Access.HasFlag(ElfAccess.Write);

    internal static ElfSegment Read(ElfBytes bytes, ulong at)
    {
        ulong offset = bytes.U64(at + 8);
        ulong address = bytes.U64(at + 16);
        ulong fileSize = bytes.U64(at + 32);
        ulong memorySize = bytes.U64(at + 40);
        ElfSegmentType type = (ElfSegmentType)bytes.U32(at);
        if (address > AddressMax || memorySize > AddressMax - address)
            throw bytes.Damaged(
                at, $"a segment at 0x{address:x} of {memorySize} bytes is outside of every process");
        bytes.Take(offset, fileSize);
        if (type == ElfSegmentType.Load && fileSize > memorySize)
            throw bytes.Damaged(at, $"a segment has {fileSize} bytes in the file and {memorySize} in memory");
        return new ElfSegment(
            type,
            (ElfAccess)bytes.U32(at + 4),
            offset,
            fileSize,
            new AddressRange(address, memorySize),
            bytes.U64(at + 48));
    }
}
