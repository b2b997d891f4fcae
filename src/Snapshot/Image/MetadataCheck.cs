using Snapshot.Base;

namespace Snapshot.Image;

/// <summary>
/// What the sections of an index say together: that no name or id means two things, or nothing.
/// </summary>
internal static class MetadataCheck
{
    /// <summary>What is impossible, as a sentence, or null.</summary>
    internal static string? FindFault(ImageMetadata metadata, Func<int, ImageRegion?> region) =>
        FindFault(metadata.Participants)
        ?? FindTwice(metadata.AsyncHandlers, handler => handler.Id, "id of a handler")
        ?? FindTwice(metadata.AsyncHandlers, handler => handler.Name, "name of a handler")
        ?? FindTwice(metadata.Owners, owner => owner.Id, "id of a lock owner")
        ?? FindTwice(metadata.Owners, owner => (owner.Kind, owner.Name), "name of a lock owner")
        ?? FindTwice(metadata.Roots, root => (root.RegionId, root.Name), "name of a root")
        ?? metadata.Roots.Select(root => FaultOf(root, region(root.RegionId)))
            .FirstOrDefault(fault => fault is not null);

    private static string? FindFault(IReadOnlyList<ParticipantDescription> participants) =>
        FindTwice(participants, participant => participant.Id, "id of a participant")
        ?? FindTwice(participants, participant => participant.Name, "name of a participant")
        ?? participants
            .Select(participant => FindTwice(
                participant.Handlers, handler => handler, $"name of a handler of '{participant.Name}'"))
            .FirstOrDefault(fault => fault is not null);

    private static string? FaultOf(RootDescription root, ImageRegion? region)
    {
        if (region?.Description is not { Kind: RegionKind.Arena } arena)
            return $"root '{root.Name}' is in region {root.RegionId}, which is no arena of the image";
        if (root.TypeName.Length == 0) return $"root '{root.Name}' has no type";
        return root.Count >= 0 && root.Offset < arena.CapacityBytes &&
            root.Count <= arena.CapacityBytes - root.Offset
            ? null
            : $"root '{root.Name}' of {root.Count} elements at offset {root.Offset} is beyond its arena";
    }

    private static string? FindTwice<TItem, TKey>(
        IReadOnlyList<TItem> items, Func<TItem, TKey> keyOf, string what)
    {
        HashSet<TKey> seen = [];
        foreach (TItem item in items)
        {
            if (!seen.Add(keyOf(item))) return $"{keyOf(item)} is the {what} twice";
        }

        return null;
    }
}
