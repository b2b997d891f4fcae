namespace Snapshot.Interop;

/// <summary>
/// Threads that serve faults in native code, where no collection of garbage stops them, until they are told
/// to end.
/// </summary>
internal sealed class NativeServers : IDisposable
{
    private const int StackBytes = 256 << 10;
    private const int CountMax = 4;

    private readonly EventDescriptor _stop = EventDescriptor.Open();
    private readonly List<Thread> _threads = [];
    private int _errno;

    /// <summary>The event that ends them.</summary>
    internal int StopNumber => _stop.Number;

    /// <summary>
    /// Starts them and returns when all are in native code: only then may a page be touched that they have to
    /// serve.
    /// </summary>
    /// <param name="name">Of the threads.</param>
    /// <param name="serve">The native function, which returns 0 or an errno.</param>
    /// <param name="serving">How many are in it.</param>
    /// <exception cref="SnapshotException">SystemCall: one of them failed to begin.</exception>
    internal void Start(string name, Func<int> serve, Func<uint> serving)
    {
        int count = Math.Clamp(Environment.ProcessorCount, 2, CountMax);
        for (int index = 0; index < count; index++)
        {
            Thread thread =
                new(() => Run(serve), StackBytes) { Name = $"{name} {index}", IsBackground = true };
            thread.Start(); // or the system has no thread to give, and there is none to wait for
            _threads.Add(thread);
        }

        SpinWait waiting = default;
        while (serving() < count && Volatile.Read(ref _errno) == 0) waiting.SpinOnce();
        NativeError.ThrowIfNoMemory(Volatile.Read(ref _errno), "mmap of a buffer", "Leave more memory free.");
    }

    /// <summary>Ends them and waits until they have.</summary>
    public void Dispose()
    {
        if (_stop.IsClosed) return;
        _stop.Signal();
        foreach (Thread thread in _threads) thread.Join();
        _stop.Dispose();
    }

    private void Run(Func<int> serve)
    {
        int errno = serve();
        if (errno != 0) Volatile.Write(ref _errno, errno);
    }
}
