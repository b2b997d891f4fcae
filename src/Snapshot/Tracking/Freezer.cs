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
    private readonly UserfaultDescriptor _userfault;
    private readonly NativeServers _servers = new();

    /// <exception cref="SnapshotException">SystemCall: no userfaultfd is to be had, or no thread.</exception>
    internal Freezer()
    {
        State = (FreezerState*)NativeMemory.AllocZeroed((nuint)sizeof(FreezerState));
        _userfault = UserfaultDescriptor.OpenForWrites();
        State->Userfault = _userfault.Number;
        State->Stop = _servers.StopNumber;
        _servers.Start(
            "snapshot writes", () => Native.sn_freezer_serve(State), () => Volatile.Read(ref State->Serving));
    }

    /// <summary>Whether a system call that writes to armed memory waits. Else it fails with EFAULT.</summary>
    internal bool WaitsInSystemCalls => _userfault.WaitsInSystemCalls;

    /// <summary>Not to be used after <see cref="Dispose"/>.</summary>
    internal FreezerState* State { get; private set; }

    /// <summary>What was served so far.</summary>
    internal ServedWrites Served => new(
        (long)Volatile.Read(ref State->Faults),
        (long)Volatile.Read(ref State->OpenedAhead),
        (long)Volatile.Read(ref State->Copied),
        (long)Volatile.Read(ref State->Waits),
        Nanoseconds(ref State->CopyNanoseconds),
        Nanoseconds(ref State->WaitNanoseconds));

    /// <summary>Whether copies have taken half the slots there are for them.</summary>
    internal bool IsShortOfSlots => Volatile.Read(ref State->Slots.Used) > State->Slots.Limit / 2;

    /// <summary>
    /// While a capture is taken no block is opened before it is written: it would only have to be copied at once.
    /// </summary>
    internal void HoldBack(bool isHeld) => Volatile.Write(ref State->Held, isHeld ? 1u : 0u);

    public void Dispose()
    {
        if (State is null) return;
        _servers.Dispose();
        _userfault.Dispose();
        NativeMemory.Free(State);
        State = null;
    }

    private static TimeSpan Nanoseconds(ref ulong counter) =>
        TimeSpan.FromTicks((long)Volatile.Read(ref counter) / TimeSpan.NanosecondsPerTick);
}

/// <summary>Writes that were served, since the beginning or between two moments.</summary>
/// <param name="Faults">Writes that had to wait.</param>
/// <param name="PagesAhead">Pages opened before they were written, in sweeps.</param>
/// <param name="PagesCopied">Pages copied because they were written, or about to be, before they were drained.</param>
/// <param name="Waits">Times a write found no slot for a copy and waited for the drain.</param>
/// <param name="Copying">Time that copying took.</param>
/// <param name="Waiting">Time spent waiting for slots.</param>
internal readonly record struct ServedWrites(
    long Faults, long PagesAhead, long PagesCopied, long Waits, TimeSpan Copying, TimeSpan Waiting)
{
    public static ServedWrites operator -(ServedWrites left, ServedWrites right) => new(
        left.Faults - right.Faults,
        left.PagesAhead - right.PagesAhead,
        left.PagesCopied - right.PagesCopied,
        left.Waits - right.Waits,
        left.Copying - right.Copying,
        left.Waiting - right.Waiting);
}
