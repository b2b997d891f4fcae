namespace Snapshot.Tests.Coordination;

/// <summary>
/// Visits every reachable state of a model, and checks that from each the goal can be reached by obligatory
/// steps alone.
/// </summary>
internal static class Explorer
{
    /// <returns>The number of states.</returns>
    internal static int Explore(BarrierModel model, ModelState initial)
    {
        Dictionary<ModelState, int> numbers = new() { [initial] = 0 };
        List<ModelState> states = [initial];
        List<(int From, int To)> obligatory = [];
        for (int current = 0; current < states.Count; current++)
        {
            int from = current;
            try
            {
                model.Expand(states[current], (next, isObligatory) =>
                {
                    if (!numbers.TryGetValue(next, out int number))
                    {
                        numbers.Add(next, number = states.Count);
                        states.Add(next);
                    }

                    if (isObligatory && number != from) obligatory.Add((from, number));
                });
            }
            catch (ModelViolationException violation)
            {
                throw new ModelViolationException(
                    $"{violation.Message}, in state: {model.Describe(states[current])}");
            }
        }

        RequireGoalIsReachable(model, states, obligatory);
        return states.Count;
    }

    /// <summary>
    /// Walks backwards from the goals; a state not met is one in which somebody waits for ever.
    /// </summary>
    private static void RequireGoalIsReachable(
        BarrierModel model, List<ModelState> states, List<(int From, int To)> edges)
    {
        int[] starts = new int[states.Count + 1];
        foreach ((_, int to) in edges) starts[to + 1]++;
        for (int index = 0; index < states.Count; index++) starts[index + 1] += starts[index];
        int[] sources = new int[edges.Count];
        int[] filled = [.. starts];
        foreach ((int from, int to) in edges) sources[filled[to]++] = from;

        bool[] reaches = new bool[states.Count];
        Stack<int> pending = new();
        for (int index = 0; index < states.Count; index++)
        {
            if (model.IsGoal(states[index]))
            {
                reaches[index] = true;
                pending.Push(index);
            }
        }

        while (pending.TryPop(out int to))
        {
            for (int edge = starts[to]; edge < starts[to + 1]; edge++)
            {
                if (reaches[sources[edge]]) continue;
                reaches[sources[edge]] = true;
                pending.Push(sources[edge]);
            }
        }

        int stuck = Array.IndexOf(reaches, false);
        if (stuck >= 0)
            throw new ModelViolationException(
                $"somebody waits for ever, in state: {model.Describe(states[stuck])}");
    }
}
