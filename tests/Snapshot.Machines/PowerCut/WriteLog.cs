using System.Buffers.Binary;
using System.Globalization;

namespace Snapshot.Machines.PowerCut;

/// <summary>
/// What a guest did to a recorded disk, in order: the log of qemu's blklogwrites. Not thread-safe.
/// </summary>
internal sealed class WriteLog : IDisposable
{
    /// <summary>The unit of a disk, bytes.</summary>
    internal const int SectorSize = 512;

    private const ulong Magic = 0x6a736677736872;
    private const int NumberSize = sizeof(ulong);

    private readonly FileStream _file;
    private readonly List<LoggedWrite> _entries = [];

    /// <summary>Reads a log; the data of its entries is read when it is asked for.</summary>
    /// <exception cref="InvalidDataException">It is no such log.</exception>
    internal WriteLog(string path)
    {
        _file = File.OpenRead(path);
        byte[] sector = new byte[SectorSize];
        _file.ReadExactly(sector);
        ulong magic = Number(sector, 0), count = Number(sector, 2);
        if (magic != Magic ||
            BinaryPrimitives.ReadUInt32LittleEndian(sector.AsSpan(3 * NumberSize)) != SectorSize)
            throw new InvalidDataException($"'{path}' is no log of writes in sectors of {SectorSize} bytes.");

        for (ulong index = 0; index < count; index++) _entries.Add(ReadEntry(sector));
    }

    /// <summary>Writes and flushes, in the order in which they were done.</summary>
    internal IReadOnlyList<LoggedWrite> Entries => _entries;

    /// <summary>The data of an entry.</summary>
    internal byte[] DataOf(LoggedWrite entry)
    {
        byte[] data = new byte[entry.Length];
        RandomAccess.Read(_file.SafeFileHandle, data, entry.DataOffset);
        return data;
    }

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{_entries.Count(entry => entry.Length > 0)} writes and {_entries.Count(entry => entry.IsFlush)} " +
        $"flushes");

    public void Dispose() => _file.Dispose();

    private static ulong Number(byte[] sector, int index) =>
        BinaryPrimitives.ReadUInt64LittleEndian(sector.AsSpan(index * NumberSize));

    private LoggedWrite ReadEntry(byte[] sector)
    {
        _file.ReadExactly(sector);
        ulong flags = Number(sector, 2);
        // A discard has a length and no data; whether the disk drops anything is the disk's matter.
        bool isDiscard = (flags & LoggedWrite.Discard) != 0;
        long length = isDiscard ? 0 : checked((long)Number(sector, 1)) * SectorSize;
        LoggedWrite entry = new(flags, checked((long)Number(sector, 0)) * SectorSize, length, _file.Position);
        _file.Position += length;
        return entry;
    }
}
