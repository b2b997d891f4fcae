namespace Snapshot.Coordination;

/// <summary>
/// The session's async handlers and the one thread that runs their parts, in the order in which they are
/// asked for.
/// </summary>
/// <remarks>
/// The order is what keeps a late handler harmless: a resume part asked for while a prepare part still runs
/// comes after it, and so does everything of the next attempt.
/// </remarks>
internal sealed class AsyncHandlers
{
    private readonly object _gate = new();
    private readonly Queue<Action> _work = new(64);
    private Thread? _thread;
    private bool _isClosed;

    internal HandlerList List { get; } = new();

    /// <summary>What the handler thread does now.</summary>
    internal HandlerPart Part { get; } = new();

    /// <summary>Whether the caller is the handler thread.</summary>
    internal bool IsCurrent => Thread.CurrentThread == Volatile.Read(ref _thread);

    /// <summary>Queues work for the handler thread. The work must not throw.</summary>
    internal void Post(Action work)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isClosed, this);
            if (_thread is null) Start();
            _work.Enqueue(work);
            Monitor.Pulse(_gate);
        }
    }

    /// <summary>
    /// Queues work behind what the handler thread may have to do; where there is no such thread, <paramref
    /// name="otherwise"/> is called, before anything can be queued.
    /// </summary>
    internal void PostIfStarted(Action work, Action otherwise)
    {
        lock (_gate)
        {
            if (_thread is null) otherwise();
            else Post(work);
        }
    }

    /// <summary>The thread ends after the work that was queued.</summary>
    internal void Close()
    {
        lock (_gate)
        {
            _isClosed = true;
            Monitor.Pulse(_gate);
        }
    }

    /// <summary>Once it is closed: waits until the thread has ended, unless it is the caller.</summary>
    internal void AwaitEnd()
    {
        Thread? thread;
        lock (_gate) thread = _thread;
        if (thread is not null && !IsCurrent) thread.Join();
    }

    private void Start()
    {
        Thread thread = new(Run) { IsBackground = true, Name = "Snapshot handlers" };
        thread.Start();
        _thread = thread;
    }

    private void Run()
    {
        while (Take() is { } work) work();
    }

    private Action? Take()
    {
        lock (_gate)
        {
            while (_work.Count == 0)
            {
                if (_isClosed) return null;
                Monitor.Wait(_gate);
            }

            return _work.Dequeue();
        }
    }
}
