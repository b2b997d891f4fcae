using Snapshot.Base;
using Snapshot.Interop;

namespace Snapshot.Coordination;

/// <summary>
/// An async handler as arena locks see it. It runs on a thread that is not stopped, so its waits are plain.
/// </summary>
internal sealed unsafe class AsyncHandlerOwner(int id, string name, HandlerPart part) : LockOwner
{
    internal override int OwnerId => id;

    internal override string OwnerName => $"handler '{name}'";

    internal HandlerPart Part => part;

    internal override bool Wait(uint* word, uint expected, long timeoutNanoseconds) =>
        Futex.Wait(word, expected, timeoutNanoseconds);
}
