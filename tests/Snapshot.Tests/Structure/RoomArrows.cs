namespace Snapshot.Tests.Structure;

/// <summary>Finds the uses of one room by another that the table of rooms does not allow.</summary>
internal static class RoomArrows
{
    /// <summary>
    /// The forbidden arrows in sources given as (path relative to src/Snapshot, text), one line each.
    /// </summary>
    internal static IReadOnlyList<string> Forbidden(IEnumerable<(string Path, string Text)> sources) =>
        [.. LibraryUses.In(sources).Where(use => !IsAllowed(use)).Select(Describe).Distinct()];

    private static bool IsAllowed(LibraryUse use) =>
        Room.Allows(Room.Of(use.File), Room.Of(use.Declared), use.Type, use.Member);

    private static string Describe(LibraryUse use) =>
        $"{use.File}({use.Line}) uses " +
        $"{Room.Of(use.Declared)}/{use.Type}{(use.Member is null ? "" : "." + use.Member)}";
}
