using Snapshot.Base;
using Snapshot.Interop;

namespace Snapshot.Tracking;

/// <summary>
/// The soft-dirty bits of this process, for the trackers of one session: read for all of them, then cleared
/// for all.
/// </summary>
/// <remarks>
/// <para>No write is lost. Reading and clearing are two system calls, and what is written between them is
/// gone from both, in whatever order they are made. Therefore bits are cleared only while nobody writes: in
/// the pause, or before a restart hands over. The order there: read every tracker's, then clear. A failure
/// before the clear leaves the bits set; one of the clear itself leaves them set or read. Either way the
/// pages are in the next collect.</para>
/// <para>There is no clearing a part of a process. So one session at a time owns the bits
/// (<see cref="SoftDirtyOwner"/>), and whatever is registered here is read before they go, also what the
/// running checkpoint does not capture yet.</para>
/// <para>Registering: any thread. Everything else: one thread at a time.</para>
/// </remarks>
internal sealed class SoftDirtyBits : IDisposable
{
    private readonly SoftDirtyOwner _owner;
    private readonly SoftDirtyDescriptor _clearing;
    private readonly Lock _registering = new();
    private readonly List<SoftDirtyTracker> _trackers = [];
    private bool _isDisposed;

    private SoftDirtyBits(SoftDirtyOwner owner, SoftDirtyDescriptor clearing)
    {
        _owner = owner;
        _clearing = clearing;
    }

    /// <summary>The bits, or null while another session of this process has them.</summary>
    /// <exception cref="SnapshotException">
    /// SystemCall: /proc/self/clear_refs cannot be opened any more.
    /// </exception>
    internal static SoftDirtyBits? TryTake()
    {
        if (SoftDirtyOwner.TryTake() is not { } owner) return null;
        int errno = SoftDirtyDescriptor.TryOpen(out SoftDirtyDescriptor? clearing);
        if (clearing is not null) return new SoftDirtyBits(owner, clearing);
        owner.Dispose();
        throw NativeError.For(
            errno, "open /proc/self/clear_refs", PagemapDescriptor.ChangedUser);
    }

    /// <summary>
    /// Whether they were read and cleared for all trackers at once, so that none does it on its own: from
    /// <see cref="Begin"/> to <see cref="End"/>.
    /// </summary>
    internal bool AreTaken { get; private set; }

    /// <summary>
    /// Whether arming waits for <see cref="ArmTogether"/>: else a restart would look through all memory for
    /// each arena.
    /// </summary>
    internal bool AreHeldBack { get; private set; }

    /// <summary>Lets arming wait. Nobody writes from the first arming on.</summary>
    internal void HoldBack() => AreHeldBack = true;

    /// <summary>Arms all trackers that waited for it. Nobody writes.</summary>
    /// <exception cref="SnapshotException">SystemCall.</exception>
    internal void ArmTogether()
    {
        AreHeldBack = false;
        Take();
    }

    internal void Register(SoftDirtyTracker tracker)
    {
        lock (_registering) _trackers.Add(tracker);
    }

    internal void Remove(SoftDirtyTracker tracker)
    {
        bool isLast;
        lock (_registering)
        {
            _trackers.Remove(tracker);
            isLast = _isDisposed && _trackers.Count == 0;
        }

        if (isLast) Release();
    }

    /// <summary>
    /// Takes the bits of all trackers. Nobody writes until <see cref="End"/>. No managed allocation.
    /// </summary>
    /// <exception cref="SnapshotException">
    /// SystemCall. Nothing is lost: what was marked is reported later.
    /// </exception>
    internal void Begin()
    {
        Take();
        AreTaken = true;
    }

    /// <inheritdoc cref="Begin"/>
    internal void End() => AreTaken = false;

    /// <summary>
    /// Reads the bits of all trackers, and clears them. Nobody writes. No managed allocation.
    /// </summary>
    /// <exception cref="SnapshotException">
    /// SystemCall. Nothing is lost: what was marked is reported later.
    /// </exception>
    internal void Take()
    {
        lock (_registering)
        {
            if (_trackers.Count == 0) return;
            foreach (SoftDirtyTracker tracker in _trackers) tracker.Read();
            int errno = _clearing.Clear();
            if (errno != 0)
            {
                throw NativeError.ForMemory(
                    errno, "write to /proc/self/clear_refs",
                    "The kernel could not clear the marks of written pages; memory limits are a cause.");
            }

            foreach (SoftDirtyTracker tracker in _trackers) tracker.AreCleared();
        }
    }

    /// <summary>They are let go with the last tracker.</summary>
    public void Dispose()
    {
        bool isLast;
        lock (_registering)
        {
            isLast = !_isDisposed && _trackers.Count == 0;
            _isDisposed = true;
        }

        if (isLast) Release();
    }

    private void Release()
    {
        _clearing.Dispose();
        _owner.Dispose();
    }
}
