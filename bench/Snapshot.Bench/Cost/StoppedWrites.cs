using Microsoft.Win32.SafeHandles;

namespace Snapshot.Bench;

/// <summary>
/// All threads stop, and everything is written to a file of its own and synced: past the page cache by all of them, or
/// through it by one, as fwrite and fsync do.
/// </summary>
internal sealed unsafe class StoppedWrites : Checkpointer
{
    private const int WriteBytes = 4 << 20;

    private readonly CostSetup _setup;
    private readonly bool _direct;
    private readonly HugeMemory _memory;
    private readonly StoreFolder _folder;
    private readonly Barrier _all;
    private SafeFileHandle? _file;
    private int _asked;
    private int _done;

    internal StoppedWrites(CostSetup setup, bool direct)
    {
        _setup = setup;
        _direct = direct;
        _memory = new HugeMemory(setup.ArenaBytes);
        _folder = new StoreFolder(setup.Directory);
        _all = new Barrier(setup.Threads);
    }

    internal override byte* Memory => _memory.Pointer;

    internal override long BytesWritten => _done * _setup.ArenaBytes;

    internal override void Poll(int thread)
    {
        if (Volatile.Read(ref _asked) == Volatile.Read(ref _done)) return;
        if (thread == 0) _file = Open();
        _all.SignalAndWait();
        int writers = _direct ? _setup.Threads : 1;
        if (thread < writers) Write(thread, writers);
        _all.SignalAndWait();
        if (thread == 0)
        {
            using (FileStream stream = new(_file!, FileAccess.Write, bufferSize: 0)) DurableFile.Flush(stream);
            Volatile.Write(ref _done, _asked);
        }

        _all.SignalAndWait();
    }

    internal override void Ask()
    {
        Volatile.Write(ref _asked, _asked + 1);
        Poll(0);
    }

    internal override void AwaitDurable()
    {
    }

    public override void Dispose()
    {
        _all.Dispose();
        _folder.Dispose();
        _memory.Dispose();
    }

    private SafeFileHandle Open()
    {
        string path = Path.Combine(_folder.Path, $"{_asked}");
        SafeFileHandle file = File.OpenHandle(
            path, FileMode.CreateNew, FileAccess.Write, FileShare.Read, FileOptions.None, preallocationSize: 0);
        if (!_direct) return file;
        DirectFile.Set(file);
        return file;
    }

    private void Write(int thread, int writers)
    {
        long from = PartOf(thread, writers), to = PartOf(thread + 1, writers);
        for (long at = from; at < to; at += WriteBytes)
        {
            int bytes = (int)Math.Min(WriteBytes, to - at);
            RandomAccess.Write(_file!, new ReadOnlySpan<byte>(_memory.Pointer + at, bytes), at);
        }
    }

    private long PartOf(int thread, int writers) =>
        _setup.ArenaBytes * thread / writers & -PagePattern.PageBytes;
}
