using Snapshot.Coordination;

namespace Snapshot;

/// <summary>A registered handler: replace it, switch it off, or dispose this to unregister it.</summary>
/// <remarks>
/// Thread-safe. Each change is atomic against a running checkpoint: one that has called this handler's
/// prepare part calls the resume part of the same object, whatever was changed in between.
/// </remarks>
public sealed class HandlerRegistration : IDisposable
{
    private readonly HandlerList _list;
    private volatile HandlerEntry _entry;
    private volatile bool _isEnabled = true;

    internal HandlerRegistration(HandlerList list, HandlerEntry entry)
    {
        _list = list;
        _entry = entry;
    }

    /// <summary>Whether checkpoints call the handler. Default: true.</summary>
    /// <exception cref="ObjectDisposedException">Set after it was unregistered.</exception>
    public bool Enabled
    {
        get => _isEnabled;
        set => _list.Change(this, _entry, value);
    }

    internal HandlerEntry Entry => _entry;

    /// <summary>Puts another handler in the place of this one; its position in the order stays.</summary>
    /// <param name="handler">The new handler.</param>
    /// <exception cref="ObjectDisposedException">It was unregistered.</exception>
    public void Replace(ICheckpointHandler handler)
    {
        ArgumentNullException.ThrowIfNull(handler);
        _list.Change(this, _entry with { Handler = handler }, _isEnabled);
    }

    /// <summary>
    /// Unregisters the handler. A checkpoint that has called its prepare part still calls its resume part.
    /// </summary>
    public void Dispose() => _list.Remove(this);

    internal void Set(HandlerEntry entry, bool isEnabled)
    {
        _entry = entry;
        _isEnabled = isEnabled;
    }
}
