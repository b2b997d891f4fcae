namespace Snapshot.Bench;

/// <summary>
/// Memory outside of any session; all threads stop for each checkpoint, and go on when it is done.
/// </summary>
internal abstract unsafe class StoppingCheckpointer : Checkpointer
{
    private readonly HugeMemory _memory;
    private readonly StoreFolder _folder;
    private readonly Barrier _all;
    private int _asked;
    private int _done;

    private protected StoppingCheckpointer(CostSetup setup)
    {
        Setup = setup;
        _memory = new HugeMemory(setup.ArenaBytes);
        _folder = new StoreFolder(setup.Directory);
        _all = new Barrier(setup.Threads);
    }

    internal sealed override byte* Memory => _memory.Pointer;

    internal sealed override long BytesWritten => _done * Setup.ArenaBytes;

    private protected CostSetup Setup { get; }

    /// <summary>The file of the checkpoint that was asked for last.</summary>
    private protected string FilePath => Path.Combine(_folder.Path, $"{_asked}");

    internal sealed override void Poll(int thread)
    {
        if (Volatile.Read(ref _asked) == Volatile.Read(ref _done)) return;
        if (thread == 0) Begin();
        _all.SignalAndWait();
        Save(thread);
        _all.SignalAndWait();
        if (thread == 0)
        {
            End();
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

    /// <summary>Called by thread 0, before all have stopped.</summary>
    private protected abstract void Begin();

    /// <summary>Called by each thread, while all stand still.</summary>
    private protected abstract void Save(int thread);

    /// <summary>Called by thread 0, while all stand still.</summary>
    private protected abstract void End();
}
