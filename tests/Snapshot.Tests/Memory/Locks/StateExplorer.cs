namespace Snapshot.Tests.Memory.Locks;

/// <summary>
/// A step of a model. <paramref name="Fair"/>: it happens sooner or later; a time-out or a restart is not.
/// </summary>
internal readonly record struct ModelStep<TState>(string Name, TState Next, bool Fair = true);

/// <summary>
/// Visits every state a small model can reach, breadth first, and reports the shortest path to a state that
/// breaks an invariant or from which no fair steps lead to the end any more: a deadlock, or a wake-up that
/// was lost.
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
        // States are known by their number, in the order in which they were found.
        List<Found<TState>> found = [new(initial, 0, "start")];
        Dictionary<TState, int> numbers = new() { [initial] = 0 };
        List<(int From, int To)> fair = [];
        for (int at = 0; at < found.Count; at++)
        {
            TState state = found[at].State;
            if (violation(state) is { } broken) return (found.Count, Trace(found, at, broken));
            foreach (ModelStep<TState> step in steps(state))
            {
                if (!numbers.TryGetValue(step.Next, out int next))
                {
                    next = found.Count;
                    numbers.Add(step.Next, next);
                    found.Add(new(step.Next, at, step.Name));
                }

                if (step.Fair) fair.Add((at, next));
            }
        }

        bool[] live = ReachingTheEnd([.. found.Select(it => isEnd(it.State))], fair);
        int stuck = Array.IndexOf(live, false);
        return (found.Count, stuck < 0 ? null : Trace(found, stuck, "stuck"));
    }

    /// <summary>Which states have a path of fair steps to one that is an end.</summary>
    private static bool[] ReachingTheEnd(bool[] live, List<(int From, int To)> fair)
    {
        // The predecessors of state n are before[first[n]] up to before[first[n + 1]].
        int[] first = new int[live.Length + 1];
        foreach ((_, int to) in fair) first[to + 1]++;
        for (int n = 0; n < live.Length; n++) first[n + 1] += first[n];
        int[] before = new int[fair.Count], filled = first[..^1];
        foreach ((int from, int to) in fair) before[filled[to]++] = from;

        Queue<int> queue = new(Enumerable.Range(0, live.Length).Where(n => live[n]));
        while (queue.TryDequeue(out int n))
        {
            foreach (int from in before.AsSpan(first[n]..first[n + 1]))
            {
                if (live[from]) continue;
                live[from] = true;
                queue.Enqueue(from);
            }
        }

        return live;
    }

    private static string Trace<TState>(List<Found<TState>> found, int at, string fault)
        where TState : struct
    {
        List<string> lines = [fault];
        for (; ; at = found[at].From)
        {
            lines.Add($"{found[at].Step} -> {found[at].State}");
            if (at == 0) break;
        }

        lines.Reverse();
        return string.Join('\n', lines);
    }

    /// <param name="State">A state.</param>
    /// <param name="From">The number of the state before it on a shortest path.</param>
    /// <param name="Step">The step from there.</param>
    private readonly record struct Found<TState>(TState State, int From, string Step)
        where TState : struct;
}
