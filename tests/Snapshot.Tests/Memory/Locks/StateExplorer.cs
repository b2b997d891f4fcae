namespace Snapshot.Tests.Memory.Locks;

/// <summary>
/// A step of a model. <paramref name="Fair"/>: it happens sooner or later; a time-out or a restart is not.
/// </summary>
internal readonly record struct ModelStep<TState>(string Name, TState Next, bool Fair = true);

/// <summary>
/// Visits every state a small model can reach, breadth first, and reports the shortest path to a state that breaks an
/// invariant or from which no fair steps lead to the end any more: a deadlock, or a wake-up that was lost.
/// </summary>
internal static class StateExplorer
{
    internal static (int States, string? Fault) Explore<TState>(
        TState initial,
        Func<TState, IEnumerable<ModelStep<TState>>> steps,
        Func<TState, string?> violation,
        Func<TState, bool> isEnd)
        where TState : struct, IEquatable<TState>
    {
        Dictionary<TState, (TState From, string Step)> seen = new() { [initial] = (initial, "start") };
        Dictionary<TState, List<TState>> fairPredecessors = [];
        List<TState> order = [initial];
        for (int at = 0; at < order.Count; at++)
        {
            TState state = order[at];
            if (violation(state) is { } broken) return (order.Count, Trace(seen, state, broken));
            foreach (ModelStep<TState> step in steps(state))
            {
                if (seen.TryAdd(step.Next, (state, step.Name))) order.Add(step.Next);
                if (!step.Fair) continue;
                if (!fairPredecessors.TryGetValue(step.Next, out List<TState>? list))
                    fairPredecessors[step.Next] = list = [];
                list.Add(state);
            }
        }

        HashSet<TState> live = ReachingTheEnd(order.Where(isEnd), fairPredecessors);
        foreach (TState state in order)
        {
            if (!live.Contains(state)) return (order.Count, Trace(seen, state, "stuck"));
        }

        return (order.Count, null);
    }

    private static HashSet<TState> ReachingTheEnd<TState>(
        IEnumerable<TState> ends, Dictionary<TState, List<TState>> predecessors)
        where TState : struct
    {
        HashSet<TState> live = [.. ends];
        Queue<TState> queue = new(live);
        while (queue.TryDequeue(out TState state))
        {
            if (!predecessors.TryGetValue(state, out List<TState>? list)) continue;
            foreach (TState before in list)
            {
                if (live.Add(before)) queue.Enqueue(before);
            }
        }

        return live;
    }

    private static string Trace<TState>(
        Dictionary<TState, (TState From, string Step)> seen, TState state, string fault)
        where TState : struct, IEquatable<TState>
    {
        List<string> lines = [fault];
        for (TState at = state; ;)
        {
            (TState from, string step) = seen[at];
            lines.Add($"{step} -> {at}");
            if (at.Equals(from)) break;
            at = from;
        }

        lines.Reverse();
        return string.Join('\n', lines);
    }
}
