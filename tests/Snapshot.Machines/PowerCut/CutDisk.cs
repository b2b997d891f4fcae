using Microsoft.Win32.SafeHandles;

namespace Snapshot.Machines.PowerCut;

/// <summary>The disk as cuts leave it. Cuts come in the order of the log. Not thread-safe.</summary>
/// <param name="log">What the guest did.</param>
/// <param name="medium">The disk as it was before; changed to what flushes made durable.</param>
internal sealed class CutDisk(WriteLog log, string medium)
{
    private int _durable;

    /// <summary>Makes the file of the disk that a cut leaves.</summary>
    internal void Write(Cut cut, string file)
    {
        int flushed = _durable;
        for (int index = _durable; index < cut.Position; index++)
        {
            if (log.Entries[index].IsFlush) flushed = index + 1;
        }

        Apply(medium, Enumerable.Range(_durable, flushed - _durable));
        _durable = flushed;
        HostProgram.Require("cp", "--sparse=always", "--reflink=auto", medium, file);
        Apply(file, Kept(cut, flushed));
    }

    /// <summary>Which of the writes since the last flush are on the medium.</summary>
    private int[] Kept(Cut cut, int flushed)
    {
        int[] since = [.. Enumerable.Range(flushed, cut.Position - flushed)];
        if (cut.Unflushed == UnflushedWrites.All) return since;
        Random random = new(cut.Seed);
        int[] kept = [.. since.Where(index => log.Entries[index].IsDurable || random.Next(2) == 0)];
        if (cut.Unflushed == UnflushedWrites.RandomHalfInRandomOrder) random.Shuffle(kept);
        return kept;
    }

    private void Apply(string file, IEnumerable<int> entries)
    {
        using SafeFileHandle disk = File.OpenHandle(file, FileMode.Open, FileAccess.Write);
        foreach (int index in entries)
        {
            LoggedWrite entry = log.Entries[index];
            if (entry.Length > 0) RandomAccess.Write(disk, log.DataOf(entry), entry.Offset);
        }
    }
}
