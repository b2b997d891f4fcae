using Snapshot.Base;

namespace Snapshot.Coordination;

/// <summary>Small ids by name, the same for a name for ever, also across restarts. Thread-safe.</summary>
internal sealed class OwnerIds
{
    private readonly Lock _lock = new();
    private readonly Dictionary<(LockOwnerKind Kind, string Name), int> _ids = [];
    private int _last;

    internal int Get(LockOwnerKind kind, string name)
    {
        lock (_lock)
        {
            if (!_ids.TryGetValue((kind, name), out int id)) _ids.Add((kind, name), id = ++_last);
            return id;
        }
    }

    internal IReadOnlyList<LockOwnerDescription> Export()
    {
        lock (_lock)
        {
            return [.. _ids.OrderBy(pair => pair.Value)
                .Select(pair => new LockOwnerDescription(pair.Value, pair.Key.Name, pair.Key.Kind))];
        }
    }

    internal void Restore(IReadOnlyList<LockOwnerDescription> owners)
    {
        lock (_lock)
        {
            foreach (LockOwnerDescription owner in owners)
            {
                _ids[(owner.Kind, owner.Name)] = owner.Id;
                _last = Math.Max(_last, owner.Id);
            }
        }
    }
}
