namespace Snapshot.Coordination;

/// <summary>Small ids by name, the same for a name for ever, also across restarts. Thread-safe.</summary>
internal sealed class OwnerIds
{
    private readonly Lock _lock = new();
    private readonly Dictionary<(OwnerKind Kind, string Name), int> _ids = [];
    private int _last;

    internal int Get(OwnerKind kind, string name)
    {
        lock (_lock)
        {
            if (!_ids.TryGetValue((kind, name), out int id)) _ids.Add((kind, name), id = ++_last);
            return id;
        }
    }

    internal IReadOnlyList<OwnerIdState> Export()
    {
        lock (_lock)
        {
            return [.. _ids.OrderBy(pair => pair.Value)
                .Select(pair => new OwnerIdState(pair.Key.Kind, pair.Key.Name, pair.Value))];
        }
    }

    internal void Restore(IReadOnlyList<OwnerIdState> states)
    {
        lock (_lock)
        {
            foreach (OwnerIdState state in states)
            {
                _ids[(state.Kind, state.Name)] = state.Id;
                _last = Math.Max(_last, state.Id);
            }
        }
    }
}
