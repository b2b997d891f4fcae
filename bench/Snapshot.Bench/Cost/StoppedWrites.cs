using Microsoft.Win32.SafeHandles;

namespace Snapshot.Bench;

/// <summary>
/// Everything is written to a file of its own and synced while all threads stand still: past the page cache
/// by all of them, or through it by one, as fwrite and fsync do.
/// </summary>
internal sealed unsafe class StoppedWrites(CostSetup setup, bool direct) : StoppingCheckpointer(setup)
{
    private const int WriteBytes = 4 << 20;

    private SafeFileHandle? _file;

    private protected override void Begin()
    {
        _file = File.OpenHandle(FilePath, FileMode.CreateNew, FileAccess.Write);
        if (direct) DirectFile.Set(_file);
    }

    private protected override void Save(int thread)
    {
        int writers = direct ? Setup.Threads : 1;
        if (thread >= writers) return;
        long from = PartOf(thread, writers), to = PartOf(thread + 1, writers);
        for (long at = from; at < to; at += WriteBytes)
        {
            int bytes = (int)Math.Min(WriteBytes, to - at);
            RandomAccess.Write(_file!, new ReadOnlySpan<byte>(Memory + at, bytes), at);
        }
    }

    private protected override void End()
    {
        using FileStream stream = new(_file!, FileAccess.Write, bufferSize: 0);
        DurableFile.Flush(stream);
    }

    private long PartOf(int thread, int writers) =>
        Setup.ArenaBytes * thread / writers & -PagePattern.PageBytes;
}
