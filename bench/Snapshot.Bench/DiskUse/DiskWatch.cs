namespace Snapshot.Bench;

/// <summary>
/// The most bytes that the files of a folder took: looked at by a thread, and whenever a checkpoint says how
/// far it is, which it does when its image is complete and nothing was deleted yet.
/// </summary>
internal sealed class DiskWatch : IProgress<SnapshotProgress>, IDisposable
{
    private static readonly TimeSpan s_between = TimeSpan.FromMilliseconds(2);

    private readonly StoreFolder _folder;
    private readonly Thread _thread;
    private readonly ManualResetEventSlim _end = new();
    private long _peak;

    internal DiskWatch(StoreFolder folder)
    {
        _folder = folder;
        _thread = new Thread(() =>
        {
            while (!_end.Wait(s_between)) Look();
        })
        { Name = "bench disk" };
        _thread.Start();
    }

    internal long Peak => Volatile.Read(ref _peak);

    public void Report(SnapshotProgress value) => Look();

    public void Dispose()
    {
        _end.Set();
        _thread.Join();
        _end.Dispose();
    }

    private void Look()
    {
        try
        {
            long bytes = _folder.Bytes;
            for (long seen = Peak; bytes > seen; seen = Peak)
                Interlocked.CompareExchange(ref _peak, bytes, seen);
        }
        catch (FileNotFoundException)
        {
            // An image was deleted while they were counted; the next look is right.
        }
    }
}
