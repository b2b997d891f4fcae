namespace Snapshot.Storage;

/// <summary>Which generations a store went on from, and which it passed over.</summary>
internal static class Lineage
{
    /// <summary>
    /// The entries, marked for a store that goes on from one of them: it and what it needs are not passed
    /// over, whatever is younger is, and what is older stays as it was.
    /// </summary>
    /// <param name="entries">Ascending by generation.</param>
    /// <param name="continued">The generation that the store goes on from.</param>
    /// <param name="found">
    /// The youngest generation that was there before; a younger one is the writer's own, after an unknown
    /// outcome.
    /// </param>
    internal static IEnumerable<ManifestEntry> Mark(
        IReadOnlyList<ManifestEntry> entries, long continued, long found)
    {
        HashSet<long> ancestors = [continued];
        // From the youngest to the oldest: when an entry's turn comes, all that may need it had theirs.
        foreach (ManifestEntry entry in entries.Reverse())
        {
            if (ancestors.Contains(entry.Generation) && entry.Parent is { } parent)
                ancestors.Add(parent.Generation);
        }

        return entries.Select(entry => entry switch
        {
            { IsRetired: true } => entry,
            _ when entry.Generation > continued && entry.Generation <= found =>
                entry with { Flags = EntryFlags.PassedOver },
            _ when ancestors.Contains(entry.Generation) => entry with { Flags = EntryFlags.None },
            _ => entry,
        });
    }
}
