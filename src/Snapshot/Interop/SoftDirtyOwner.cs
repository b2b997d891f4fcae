namespace Snapshot.Interop;

/// <summary>
/// Who clears the soft-dirty bits. There is no form of that for a part of a process, so one at a time may:
/// what another had not read yet would be lost to it.
/// </summary>
/// <remarks>Thread-safe.</remarks>
internal sealed class SoftDirtyOwner : IDisposable
{
    private static readonly Lock s_gate = new();
    private static bool s_isOwned;

    private bool _isDisposed;

    private SoftDirtyOwner()
    {
    }

    /// <summary>The owner from now until it is disposed of; null while there is another.</summary>
    internal static SoftDirtyOwner? TryTake()
    {
        lock (s_gate)
        {
            if (s_isOwned) return null;
            s_isOwned = true;
            return new SoftDirtyOwner();
        }
    }

    /// <summary>Does something while nobody owns the bits; null where somebody does.</summary>
    internal static Finding? WhileFree(Func<Finding> work)
    {
        lock (s_gate) return s_isOwned ? null : work();
    }

    public void Dispose()
    {
        lock (s_gate)
        {
            if (!_isDisposed) s_isOwned = false;
            _isDisposed = true;
        }
    }
}
