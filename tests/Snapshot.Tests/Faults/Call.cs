using System.Buffers.Binary;
using System.Text;

namespace Snapshot.Tests.Faults;

/// <summary>The kinds of calls that a recording tells apart here; the numbers are those of rig.h.</summary>
internal enum CallKind
{
    Open = 0,
    Close = 1,
    Write = 3,
    Sync = 4,
    Rename = 5,
    Unlink = 6,
    Truncate = 7,
    Fcntl = 10,
    MakeDirectory = 11,
    Allocate = 14,
    Link = 16,
    Mark = 28,
}

/// <summary>A call of a recording; tests/Snapshot.FaultRig/rig_log.c has the format.</summary>
internal sealed record Call(
    CallKind Kind, int Error, int Descriptor, long Result, long Offset, ulong Argument, string Path,
    string Path2,
    byte[] Data)
{
    private const uint Magic = 0x3147_4952;
    private const int HeaderBytes = 56;

    /// <summary>Whether something is on its way to the disk by it.</summary>
    internal bool IsChange => Error == 0 && Kind is CallKind.Write or CallKind.Sync or CallKind.Rename
        or CallKind.Unlink or CallKind.Truncate or CallKind.MakeDirectory or CallKind.Allocate or
        CallKind.Link
        || (Kind == CallKind.Open && Creates);

    /// <summary>Whether an open may make or empty a file.</summary>
    internal bool Creates => (Argument & (OpenFlags.Create | OpenFlags.Truncate)) != 0;

    internal static List<Call> Read(string recording)
    {
        byte[] bytes = File.ReadAllBytes(recording);
        List<Call> calls = [];
        int at = 0;
        while (at + HeaderBytes <= bytes.Length)
        {
            ReadOnlySpan<byte> header = bytes.AsSpan(at, HeaderBytes);
            if (BinaryPrimitives.ReadUInt32LittleEndian(header) != Magic)
                throw new InvalidDataException($"{recording}: no record at {at}");
            int path = BinaryPrimitives.ReadInt32LittleEndian(header[40..]);
            int path2 = BinaryPrimitives.ReadInt32LittleEndian(header[44..]);
            int data = (int)BinaryPrimitives.ReadInt64LittleEndian(header[48..]);
            int text = at + HeaderBytes;
            calls.Add(new Call(
                (CallKind)BinaryPrimitives.ReadUInt16LittleEndian(header[4..]),
                BinaryPrimitives.ReadInt32LittleEndian(header[8..]),
                BinaryPrimitives.ReadInt32LittleEndian(header[12..]),
                BinaryPrimitives.ReadInt64LittleEndian(header[16..]),
                BinaryPrimitives.ReadInt64LittleEndian(header[24..]),
                BinaryPrimitives.ReadUInt64LittleEndian(header[32..]),
                Encoding.UTF8.GetString(bytes, text, path),
                Encoding.UTF8.GetString(bytes, text + path, path2),
                bytes.AsSpan(text + path + path2, data).ToArray()));
            at = text + path + path2 + data;
        }

        return calls;
    }
}

/// <summary>Flags of Linux that a recording has.</summary>
internal static class OpenFlags
{
    internal const ulong Create = 0x40;
    internal const ulong Truncate = 0x200;
    internal const ulong TemporaryFile = 0x40_0000;
    internal const ulong Duplicate = 0;
    internal const ulong DuplicateCloseOnExec = 1030;
    internal const ulong KeepSize = 1;
    internal const ulong Exchange = 2;
}
