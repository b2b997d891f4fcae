using Snapshot.Base;

namespace Snapshot.Coordination;

/// <summary>One enabled handler, as a checkpoint uses it. Immutable.</summary>
/// <param name="Name">Unique in its list.</param>
/// <param name="Handler">The user's object.</param>
/// <param name="Owner">Who holds arena locks while a part of it runs; null: the participant itself.</param>
internal sealed record HandlerEntry(string Name, ICheckpointHandler Handler, LockOwner? Owner);

/// <summary>An ordered list of handlers whose changes are atomic against a running checkpoint.</summary>
/// <remarks>
/// Every change publishes a new immutable array; a checkpoint takes the array once and uses it to its end.
/// </remarks>
internal sealed class HandlerList
{
    private readonly Lock _lock = new();
    private readonly List<HandlerRegistration> _registrations = [];
    private volatile HandlerEntry[] _enabled = [];

    /// <summary>The enabled handlers, first registered first. Never changed in place.</summary>
    internal HandlerEntry[] Enabled => _enabled;

    internal HandlerRegistration Add(string name, ICheckpointHandler handler, LockOwner? owner)
    {
        RecordedName.ThrowIfUnusable(name);
        ArgumentNullException.ThrowIfNull(handler);
        lock (_lock)
        {
            if (_registrations.Exists(other => other.Entry.Name == name))
                throw new SnapshotException(
                    SnapshotErrorCode.NameTaken,
                    $"A handler named '{name}' is registered here already; replace it or choose another " +
                    "name.");
            HandlerRegistration registration = new(this, new HandlerEntry(name, handler, owner));
            _registrations.Add(registration);
            Publish();
            return registration;
        }
    }

    /// <summary>Changes one registration and publishes the result as one step.</summary>
    internal void Change(HandlerRegistration registration, HandlerEntry entry, bool isEnabled)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(!_registrations.Contains(registration), registration);
            registration.Set(entry, isEnabled);
            Publish();
        }
    }

    internal void Remove(HandlerRegistration registration)
    {
        lock (_lock)
        {
            if (_registrations.Remove(registration)) Publish();
        }
    }

    private void Publish() =>
        _enabled = [.. _registrations.Where(one => one.Enabled).Select(one => one.Entry)];
}
