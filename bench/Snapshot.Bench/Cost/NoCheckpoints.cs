namespace Snapshot.Bench;

/// <summary>The computation by itself: what all others are compared with.</summary>
internal sealed unsafe class NoCheckpoints(CostSetup setup) : Checkpointer
{
    private readonly HugeMemory _memory = new(setup.ArenaBytes);

    internal override byte* Memory => _memory.Pointer;

    internal override long BytesWritten => 0;

    internal override void Poll(int thread)
    {
    }

    internal override void Ask()
    {
    }

    internal override void AwaitDurable()
    {
    }

    public override void Dispose() => _memory.Dispose();
}
