using System.Buffers.Binary;
using System.Text;
using Snapshot.Machines.PowerCut;
using Xunit;

namespace Snapshot.Tests.Machines;

/// <summary>A log of writes as qemu makes it, and what a cut keeps of it.</summary>
public sealed class WriteLogTests : IDisposable
{
    private const int Sector = WriteLog.SectorSize;
    private const int DiskSectors = 64;
    private const ulong Flush = 1, ForceUnitAccess = 2, Discard = 4;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("snapshot-writelog-");

    [Fact]
    public void All_that_was_flushed_is_kept_by_every_cut()
    {
        foreach (UnflushedWrites unflushed in Enum.GetValues<UnflushedWrites>())
        {
            byte[] disk =
                CutAfter(4, unflushed, 1, Write(3, 'a'), Write(4, 'b'), Entry(Flush, 0, []), Write(3, 'c'));
            Assert.Equal((byte)'b', disk[4 * Sector]);
            Assert.Contains((char)disk[3 * Sector], "ac");
        }
    }

    [Fact]
    public void What_was_not_flushed_is_kept_whole_by_half_or_not_at_all()
    {
        byte[][] entries = [.. Enumerable.Range(0, DiskSectors).Select(sector => Write(sector, 'x'))];
        Assert.Equal(DiskSectors, Written(CutAfter(DiskSectors, UnflushedWrites.All, 1, entries)));
        int half = Written(CutAfter(DiskSectors, UnflushedWrites.RandomHalf, 1, entries));
        Assert.InRange(half, 1, DiskSectors - 1);
        Assert.Equal(5, Written(CutAfter(5, UnflushedWrites.All, 1, entries)));
    }

    [Fact]
    public void In_random_order_an_older_write_may_win()
    {
        char[] last = [.. Enumerable.Range(0, 40).Select(seed =>
            (char)CutAfter(
                2, UnflushedWrites.RandomHalfInRandomOrder, seed, Write(1, 'o'), Write(1, 'n'))[Sector])];
        Assert.Equal(['\0', 'n', 'o'], last.Distinct().Order());
    }

    [Fact]
    public void A_write_that_forces_unit_access_is_kept_by_every_cut()
    {
        for (int seed = 0; seed < 20; seed++)
        {
            byte[] disk =
                CutAfter(1, UnflushedWrites.RandomHalf, seed, Entry(ForceUnitAccess, 2, Filled('f')));
            Assert.Equal((byte)'f', disk[2 * Sector]);
        }
    }

    [Fact]
    public void A_discard_has_no_data_and_changes_nothing()
    {
        byte[] disk = CutAfter(2, UnflushedWrites.All, 1, Entry(Discard, 0, [], sectors: 8), Write(9, 'd'));
        Assert.Equal(1, Written(disk));
        Assert.Equal((byte)'d', disk[9 * Sector]);
    }

    [Fact]
    public void Acknowledgements_are_found_where_they_are_written_and_nowhere_else()
    {
        const int Size = 4096, At = 8;
        byte[] seven = Padded("snapshot: committed generation 7\n", Size);
        using WriteLog log = Log(
            Write(1, 'a'), Entry(0, At, seven), Entry(0, At + 8, seven),
            Entry(0, At, Padded("something else", Size)));
        Assert.Equal([new Acknowledgement(1, 7)], Acknowledgement.AllIn(log, At * Sector));
    }

    [Fact]
    public void A_file_that_is_no_log_is_refused_by_name()
    {
        string path = Path.Combine(_folder.FullName, "other");
        File.WriteAllBytes(path, new byte[4096]);
        InvalidDataException error = Assert.Throws<InvalidDataException>(() => new WriteLog(path));
        Assert.Contains(path, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Half_of_the_cuts_fall_shortly_after_an_acknowledgement()
    {
        Acknowledgement[] acknowledged = [new(1000, 1)];
        Cut[] cuts = Cut.Choose(200, entries: 100_000, acknowledged, seed: 1);
        Assert.InRange(cuts.Count(cut => cut.Position is > 1000 and < 1020), 100, 110);
        Assert.Equal(cuts.OrderBy(cut => cut.Position), cuts);
        Assert.Equal(cuts, Cut.Choose(200, 100_000, acknowledged, seed: 1));
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private static byte[] Filled(char value) => [.. Enumerable.Repeat((byte)value, Sector)];

    private static byte[] Padded(string text, int size)
    {
        byte[] data = new byte[size];
        Encoding.ASCII.GetBytes(text, data);
        return data;
    }

    private static byte[] Write(int sector, char value) => Entry(0, sector, Filled(value));

    private static byte[] Entry(ulong flags, int sector, byte[] data, int? sectors = null)
    {
        byte[] entry = new byte[Sector + data.Length];
        BinaryPrimitives.WriteUInt64LittleEndian(entry, (ulong)sector);
        BinaryPrimitives.WriteUInt64LittleEndian(entry.AsSpan(8), (ulong)(sectors ?? data.Length / Sector));
        BinaryPrimitives.WriteUInt64LittleEndian(entry.AsSpan(16), flags);
        data.CopyTo(entry, Sector);
        return entry;
    }

    private static int Written(byte[] disk) =>
        Enumerable.Range(0, DiskSectors).Count(sector => disk[sector * Sector] != 0);

    private WriteLog Log(params byte[][] entries)
    {
        byte[] head = new byte[Sector];
        BinaryPrimitives.WriteUInt64LittleEndian(head, 0x6a736677736872);
        BinaryPrimitives.WriteUInt64LittleEndian(head.AsSpan(8), 1);
        BinaryPrimitives.WriteUInt64LittleEndian(head.AsSpan(16), (ulong)entries.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(head.AsSpan(24), Sector);
        string path = Path.Combine(_folder.FullName, "log");
        File.WriteAllBytes(path, [.. head, .. entries.SelectMany(entry => entry)]);
        return new WriteLog(path);
    }

    private byte[] CutAfter(int position, UnflushedWrites unflushed, int seed, params byte[][] entries)
    {
        string medium = Path.Combine(_folder.FullName, "medium"), cut = Path.Combine(_folder.FullName, "cut");
        File.WriteAllBytes(medium, new byte[DiskSectors * Sector]);
        using WriteLog log = Log(entries);
        new CutDisk(log, medium).Write(new Cut(position, unflushed, seed), cut);
        return File.ReadAllBytes(cut);
    }
}
