using System.Runtime.InteropServices;
using Snapshot.Base;
using Snapshot.Threads.Fibers;

namespace Snapshot.Coordination;

/// <summary>
/// The thread that runs a part of a handler, as the scheduler of its fibers sees it: it is not stopped, so
/// its fibers are not.
/// </summary>
internal sealed unsafe class FiberHandlerHost(string name) : IFiberHost
{
    private static readonly int* s_nothing = (int*)NativeMemory.AllocZeroed(sizeof(int));

    internal LockOwner Owner { get; set; } = null!;

    public int OwnerId => Owner.OwnerId;

    public string Name => Owner.OwnerName;

    public string? HandlerPart => $"in a part of {name}";

    public int* StopHint => s_nothing;

    public int* AttentionHint => s_nothing;

    public Action? Stopping
    {
        set { }
    }

    public void Poll()
    {
    }

    public bool Wait(uint* word, uint expected, long timeoutNanoseconds) =>
        Owner.Wait(word, expected, timeoutNanoseconds);

    public bool TryEnterCritical() => true;

    public void ExitCritical()
    {
    }
}
