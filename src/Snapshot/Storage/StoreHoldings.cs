namespace Snapshot.Storage;

/// <summary>What a store has at one moment.</summary>
/// <param name="Entries">What the manifest lists, oldest first.</param>
/// <param name="Needed">
/// Generations that a session or an image being written needs, whatever the policy says.
/// </param>
/// <param name="DraftBytes">What the images that are being written are expected to take.</param>
internal sealed record StoreHoldings(
    IReadOnlyList<ManifestEntry> Entries, IReadOnlyList<long> Needed, long DraftBytes)
{
    /// <summary>
    /// Generations from here on are held (<see cref="RetentionHold"/>), whatever the policy says.
    /// </summary>
    internal long Floor { get; init; } = long.MaxValue;

    /// <summary>Bytes of the images that are listed.</summary>
    internal long ListedBytes => Entries.Sum(entry => entry.FileLength);

    /// <summary>The entries that are left when a policy is applied.</summary>
    internal List<ManifestEntry> KeptBy(RetentionPolicy policy) =>
        [.. Entries.Except(Retention.Deletable(Entries, policy, DateTimeOffset.UtcNow, Needed, Floor))];

    /// <summary>
    /// The generations that are kept for their own sake, not because a younger one needs them.
    /// </summary>
    internal HashSet<long> WantedBy(RetentionPolicy policy)
    {
        StoreHoldings alone =
            this with { Entries = [.. Entries.Select(entry => entry with { Parent = null })] };
        return [.. alone.KeptBy(policy).Select(entry => entry.Generation)];
    }

    /// <summary>
    /// The same after a commit; what needed older generations has the new one, and what held them is expected
    /// to let them go.
    /// </summary>
    internal StoreHoldings With(long generation, ManifestEntry? parent, long bytes) => this with
    {
        Entries = [
            .. Entries.Where(entry => entry.Generation != generation),
            new ManifestEntry(
                Guid.Empty, generation,
                parent is null ? null : new Image.ImageLink(parent.ImageId, parent.Generation),
                bytes, 0, DateTimeOffset.UtcNow, 0)],
        Needed = [],
        Floor = long.MaxValue,
    };
}
