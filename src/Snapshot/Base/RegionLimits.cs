namespace Snapshot.Base;

/// <summary>
/// Where regions may lie and how large they may be: what is made keeps to it, and what is read must.
/// </summary>
internal static class RegionLimits
{
    /// <summary>
    /// Arenas lie in [0x2000_0000_0000, 0x5500_0000_0000). The kernel puts programs at the bottom of the
    /// address space or, position independent, from 0x55.. upward with their heap, and libraries and stacks
    /// at its top. A sanitizer's shadow may still be in this range: then the next free place is taken.
    /// </summary>
    internal const ulong ArenasBegin = 0x2000_0000_0000;

    /// <summary>The end of the range arenas lie in.</summary>
    internal const ulong ArenasEnd = 0x5500_0000_0000;

    /// <summary>The least capacity of an arena, in bytes.</summary>
    internal const long ArenaBytesMin = 4L << 20;

    /// <summary>The greatest capacity of an arena, in bytes.</summary>
    internal const long ArenaBytesMax = 4L << 40;

    /// <summary>
    /// All protected buffers of an image together, in bytes: more than any machine has, and little enough
    /// that room for it is found in the address space beside the arenas.
    /// </summary>
    internal const long BufferBytesMax = 16L << 40;

    /// <summary>The most characters of an arena's name.</summary>
    internal const int ArenaNameMax = 64;

    /// <summary>
    /// Ids of regions, participants and handlers are below it: as owners of locks, fibers have this bit set.
    /// The next id to be given fits, too.
    /// </summary>
    internal const int IdEnd = 1 << 30;

    /// <summary>The kernel refuses other characters in the name of a mapping.</summary>
    internal static bool IsArenaName(ReadOnlySpan<char> name) =>
        name.Length is >= 1 and <= ArenaNameMax && !name.ContainsAnyExceptInRange(' ', '~') &&
        !name.ContainsAny("\\`$[]");
}
