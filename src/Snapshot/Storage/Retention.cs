namespace Snapshot.Storage;

/// <summary>Decides which generations a policy lets go.</summary>
internal static class Retention
{
    /// <summary>The entries to delete; what a kept one needs is never among them.</summary>
    /// <param name="entries">Ascending by generation.</param>
    /// <param name="policy">What to keep.</param>
    /// <param name="now">Against which ages count.</param>
    /// <param name="needed">Generations that images being written need.</param>
    /// <param name="floor">From here on all are held.</param>
    internal static List<ManifestEntry> Deletable(
        IReadOnlyList<ManifestEntry> entries, RetentionPolicy policy, DateTimeOffset now,
        IEnumerable<long> needed, long floor = long.MaxValue)
    {
        HashSet<long> kept = [.. needed];
        // From the youngest to the oldest: when an entry's turn comes, everything that may need it was
        // decided.
        int newest = 0;
        for (int i = entries.Count - 1; i >= 0; i--)
        {
            ManifestEntry entry = entries[i];
            // What was passed over is not among the newest: the store did not go on from it.
            bool wanted = entry.IsPassedOver
                ? policy.KeepPassedOver
                : newest++ < policy.KeepLast || IsKeptByNumber(entry, policy, now);
            if (wanted || entry.Generation >= floor) kept.Add(entry.Generation);
            if (kept.Contains(entry.Generation) && entry.Parent is { } parent) kept.Add(parent.Generation);
        }

        return [.. entries.Where(entry => !kept.Contains(entry.Generation))];
    }

    /// <summary>
    /// Whether the policy keeps a generation for its number, as long as it is young enough.
    /// </summary>
    internal static bool IsKeptByNumber(ManifestEntry entry, RetentionPolicy policy, DateTimeOffset now) =>
        policy.KeepEvery > 0 && entry.Generation % policy.KeepEvery == 0
            && (policy.MaxAge is not { } age || now - entry.Created <= age);
}
