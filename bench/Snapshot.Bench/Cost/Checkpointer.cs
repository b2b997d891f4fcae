namespace Snapshot.Bench;

/// <summary>
/// Memory, and one way to save it again and again while threads compute in it. Thread 0 asks for checkpoints.
/// </summary>
internal abstract unsafe class Checkpointer : IDisposable
{
    internal abstract byte* Memory { get; }

    /// <summary>Bytes that were written to files.</summary>
    internal abstract long BytesWritten { get; }

    /// <summary>
    /// What each checkpoint says of itself, once all is durable; nothing where none says it.
    /// </summary>
    internal virtual IReadOnlyList<SnapshotInfo> Infos => [];

    /// <summary>Called first on each computing thread.</summary>
    internal virtual void Attach(int thread)
    {
    }

    /// <summary>Called by each computing thread after each page: here it may be stopped.</summary>
    internal abstract void Poll(int thread);

    /// <summary>Asks for a checkpoint of the memory as it is now or a little later. By thread 0.</summary>
    internal abstract void Ask();

    /// <summary>Called last on each computing thread.</summary>
    internal virtual void Detach(int thread)
    {
    }

    /// <summary>Waits until what was asked for is durable. After all threads have ended.</summary>
    internal abstract void AwaitDurable();

    public abstract void Dispose();
}
