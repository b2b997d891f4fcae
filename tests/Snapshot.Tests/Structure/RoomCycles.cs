namespace Snapshot.Tests.Structure;

/// <summary>
/// Finds the files of a room that hold each other: each uses a type of the next, and the last one of the
/// first. Whoever wants to understand one of them must read them all.
/// </summary>
internal static class RoomCycles
{
    /// <summary>
    /// The cycles in sources given as (path relative to src/Snapshot, text), each as large as it is, largest
    /// first.
    /// </summary>
    internal static IReadOnlyList<RoomCycle> In(IEnumerable<(string Path, string Text)> sources)
    {
        ILookup<string, string> used = LibraryUses.In(sources)
            .Where(use => !(use.IsQualifier && use.Member is null))
            .Where(use => use.File != use.Declared && Room.Of(use.File) == Room.Of(use.Declared))
            .Select(use => (use.File, use.Declared)).Distinct()
            .ToLookup(use => use.File, use => use.Declared);
        return
        [
            .. Components(used)
                .Where(component => component.Count > 1)
                .Select(component => new RoomCycle(
                    Room.Of(component[0]), [.. component.Order(StringComparer.Ordinal)]))
                .OrderByDescending(cycle => cycle.Files.Count),
        ];
    }

    /// <summary>The strongly connected components, by Tarjan's algorithm.</summary>
    private static List<List<string>> Components(ILookup<string, string> used)
    {
        List<List<string>> components = [];
        Dictionary<string, int> found = [];
        Dictionary<string, int> lowest = [];
        Stack<string> open = [];
        foreach (IGrouping<string, string> file in used)
        {
            if (!found.ContainsKey(file.Key)) Visit(file.Key);
        }

        return components;

        void Visit(string file)
        {
            found[file] = lowest[file] = found.Count;
            open.Push(file);
            foreach (string next in used[file])
            {
                if (!found.ContainsKey(next)) Visit(next);
                if (open.Contains(next)) lowest[file] = Math.Min(lowest[file], lowest[next]);
            }

            if (lowest[file] != found[file]) return;
            List<string> component = [];
            do component.Add(open.Pop());
            while (component[^1] != file);
            components.Add(component);
        }
    }
}

/// <summary>Files of a room that hold each other.</summary>
internal sealed record RoomCycle(string Room, IReadOnlyList<string> Files)
{
    public override string ToString() =>
        $"{Room}: {Files.Count} files hold each other: {string.Join(", ", Files.Select(Path.GetFileName))}";
}
