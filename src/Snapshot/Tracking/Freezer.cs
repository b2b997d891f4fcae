using Snapshot.Base;
using Snapshot.Interop;
using Snapshot.Memory;

namespace Snapshot.Tracking;

/// <summary>
/// Serves writes to armed memory: copies what is frozen, notes the write, lets it through. One for a session;
/// what it does is in the C part (freeze.c), which says why.
/// </summary>
/// <remarks>Regions join and leave by <see cref="FreezingTracker"/>. It must outlive them.</remarks>
internal sealed unsafe class Freezer : IDisposable
{
    /// <summary>
    /// What the names of the threads that serve writes begin with: 15 bytes, as many as the system keeps of
    /// one.
    /// </summary>
    internal const string ServerName = "snapshot writes";

    private UserfaultDescriptor? _userfault;
    private readonly SparseMemory _memory;
    private readonly NativeServers _servers;

    /// <param name="bySignals">
    /// Whether memory is protected by mprotect and writes are served by a handler of SIGSEGV (signal.c),
    /// instead of by threads of this type and a userfaultfd.
    /// </param>
    /// <exception cref="SnapshotException">SystemCall: Linux gives no userfaultfd, or no thread.</exception>
    internal Freezer(bool bySignals)
    {
        IsBySignals = bySignals;
        _memory = new SparseMemory(sizeof(FreezerState), "what serves writes", apart: true);
        State = (FreezerState*)_memory.Address;
        try
        {
            _servers = new NativeServers();
        }
        catch
        {
            _memory.Dispose();
            throw;
        }

        try
        {
            if (bySignals) TakeSignals();
            else Serve();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Whether writes are served on the threads that make them, and fail in system calls.</summary>
    internal bool IsBySignals { get; }

    /// <summary>Not to be used after <see cref="Dispose"/>.</summary>
    internal FreezerState* State { get; private set; }

    /// <summary>What was served so far.</summary>
    internal CopyOnWriteInfo Served => new(
        faults: (long)Volatile.Read(ref State->Faults),
        pagesOpenedAhead: (long)Volatile.Read(ref State->OpenedAhead),
        pagesCopied: (long)Volatile.Read(ref State->Copied),
        waits: (long)Volatile.Read(ref State->Waits),
        copying: Nanoseconds(ref State->CopyNanoseconds),
        waiting: Nanoseconds(ref State->WaitNanoseconds));

    /// <summary>
    /// Whether copies have taken half the slots there are for them, or somebody waits for some.
    /// </summary>
    internal bool IsShortOfSlots => Volatile.Read(ref State->Slots.Used) > State->Slots.Limit / 2
        || Volatile.Read(ref State->Slots.Waiting) > 0;

    /// <summary>
    /// While a capture is taken no span is opened before it is written: it would only have to be copied at
    /// once.
    /// </summary>
    internal void HoldBack(bool isHeld) => Volatile.Write(ref State->Held, isHeld ? 1u : 0u);

    /// <summary>Lets the memory of a region go: it can be written, and nobody learns of it.</summary>
    /// <exception cref="SnapshotException">SystemCall: the kernel keeps it.</exception>
    internal void LetGo(RegionState* region)
    {
        if (IsBySignals) _ = Native.sn_region_disarm(State, region, 0, region->PageCount);
        else
        {
            _userfault!.Unregister(
                region->Start + (region->First * Pages.Size), (region->End - region->First) * Pages.Size);
        }
    }

    /// <summary>
    /// How often frozen content was given up since the beginning: a handler of a signal cannot wait for ever.
    /// </summary>
    internal ulong Spoiled => Volatile.Read(ref State->Spoiled);

    public void Dispose()
    {
        if (State is null) return;
        if (IsBySignals) _ = Native.sn_freezer_leave_signals(State);
        _servers.Dispose();
        _userfault?.Dispose();
        _memory.Dispose();
        State = null;
    }

    private void TakeSignals()
    {
        State->Userfault = FreezerState.BySignals;
        NativeError.ThrowIfFailed(
            Native.sn_freezer_take_signals(State), "sigaction(SIGSEGV)",
            "A process has at most 64 sessions that track by signals; another TrackingMechanism works.");
    }

    private void Serve()
    {
        _userfault = UserfaultDescriptor.OpenForWrites();
        State->Userfault = _userfault.Number;
        State->Stop = _servers.StopNumber;
        _servers.Start(
            ServerName, () => Native.sn_freezer_serve(State), () => Volatile.Read(ref State->Serving));
    }

    private static TimeSpan Nanoseconds(ref ulong counter) =>
        TimeSpan.FromTicks((long)Volatile.Read(ref counter) / TimeSpan.NanosecondsPerTick);
}
