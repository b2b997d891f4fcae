using System.Runtime.InteropServices;
using Snapshot.Interop;

namespace Snapshot.Tracking;

/// <summary>
/// Serves writes to armed memory: copies what is frozen, notes the write, lets it through. One for a session; what it
/// does is in the C part (freeze.c), which says why.
/// </summary>
/// <remarks>Regions join and leave by <see cref="FreezingTracker"/>. It must outlive them.</remarks>
internal sealed unsafe class Freezer : IDisposable
{
    private readonly UserfaultDescriptor? _userfault;
    private readonly NativeServers _servers = new();

    /// <exception cref="SnapshotException">SystemCall: no userfaultfd is to be had, or no thread.</exception>
    internal Freezer()
    {
        State = (FreezerState*)NativeMemory.AllocZeroed((nuint)sizeof(FreezerState));
        try
        {
            _userfault = UserfaultDescriptor.OpenForWrites();
            State->Userfault = _userfault.Number;
            State->Stop = _servers.StopNumber;
            _servers.Start(
                "snapshot writes", () => Native.sn_freezer_serve(State), () => Volatile.Read(ref State->Serving));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Not to be used after <see cref="Dispose"/>.</summary>
    internal FreezerState* State { get; private set; }

    /// <summary>What was served so far.</summary>
    internal CopyOnWriteInfo Served => new()
    {
        Faults = (long)Volatile.Read(ref State->Faults),
        PagesOpenedAhead = (long)Volatile.Read(ref State->OpenedAhead),
        PagesCopied = (long)Volatile.Read(ref State->Copied),
        Waits = (long)Volatile.Read(ref State->Waits),
        Copying = Nanoseconds(ref State->CopyNanoseconds),
        Waiting = Nanoseconds(ref State->WaitNanoseconds),
    };

    /// <summary>Whether copies have taken half the slots there are for them.</summary>
    internal bool IsShortOfSlots => Volatile.Read(ref State->Slots.Used) > State->Slots.Limit / 2;

    /// <summary>
    /// While a capture is taken no block is opened before it is written: it would only have to be copied at once.
    /// </summary>
    internal void HoldBack(bool isHeld) => Volatile.Write(ref State->Held, isHeld ? 1u : 0u);

    /// <inheritdoc cref="UserfaultDescriptor.Unregister"/>
    internal void Unregister(ulong start, ulong bytes) => _userfault!.Unregister(start, bytes);

    public void Dispose()
    {
        if (State is null) return;
        _servers.Dispose();
        _userfault?.Dispose();
        NativeMemory.Free(State);
        State = null;
    }

    private static TimeSpan Nanoseconds(ref ulong counter) =>
        TimeSpan.FromTicks((long)Volatile.Read(ref counter) / TimeSpan.NanosecondsPerTick);
}
