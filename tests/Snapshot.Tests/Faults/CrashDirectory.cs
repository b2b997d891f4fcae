namespace Snapshot.Tests.Faults;

/// <summary>
/// The names of a directory: those that are durable, and changes that no sync of the directory covers.
/// </summary>
internal sealed class CrashDirectory
{
    private readonly Dictionary<string, object> _now = [];
    private readonly Dictionary<string, object> _durable = [];
    private readonly List<Change> _pending = [];

    /// <summary>A name taken away, a name that is of something from now on, or both at once.</summary>
    private sealed record Change(string? Removed, string? Added, object? Node);

    /// <summary>The file or directory of a name, as programs see it.</summary>
    internal object? Find(string name) => _now.GetValueOrDefault(name);

    internal void Add(string name, object node) => Make(new Change(null, name, node));

    internal void Remove(string name) => Make(new Change(name, null, null));

    internal void Rename(string from, string to) => Make(new Change(from, to, _now[from]));

    internal void Sync()
    {
        foreach (Change change in _pending) Apply(_durable, change);
        _pending.Clear();
    }

    /// <summary>Whether content of a file is on its way.</summary>
    internal bool HasPendingContent => _now.Values.Any(node => node is CrashFile { HasPending: true }
        || node is CrashDirectory { HasPendingContent: true });

    /// <summary>
    /// What a machine finds that comes up again: files with their content, and directories without.
    /// </summary>
    internal void AfterCrash(
        string folder, CrashStyle style, Random random,
        List<(string Path, ReadOnlyMemory<byte>? Content)> found)
    {
        foreach ((string name, object node) in NamesAfterCrash(style, random))
        {
            string path = Path.Combine(folder, name);
            if (node is CrashFile file)
            {
                found.Add((path, file.AfterCrash(style, random)));
                continue;
            }

            found.Add((path, null));
            ((CrashDirectory)node).AfterCrash(path, style, random, found);
        }
    }

    private Dictionary<string, object> NamesAfterCrash(CrashStyle style, Random random)
    {
        Dictionary<string, object> found = new(_durable);
        int kept = style switch
        {
            CrashStyle.Lost => 0,
            CrashStyle.InOrder => random.Next(_pending.Count + 1),
            _ => _pending.Count,
        };
        foreach (Change change in _pending.Take(kept))
        {
            if (style is CrashStyle.Reordered or CrashStyle.Noise && random.Next(2) == 0) continue;
            Apply(found, change);
        }

        return found;
    }

    private void Make(Change change)
    {
        Apply(_now, change);
        _pending.Add(change);
    }

    private static void Apply(Dictionary<string, object> names, Change change)
    {
        if (change.Removed is { } removed) names.Remove(removed);
        if (change.Added is { } added) names[added] = change.Node!;
    }
}
