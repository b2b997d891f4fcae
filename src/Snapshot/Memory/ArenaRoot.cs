namespace Snapshot;

/// <summary>What a named root of an arena is.</summary>
/// <param name="Name">Its name, unique in the arena.</param>
/// <param name="TypeName">The element type as the program named it that made the root.</param>
/// <param name="Count">The number of elements.</param>
/// <param name="Offset">Of the first element, in bytes from the arena's base.</param>
/// <param name="Bytes">Of all elements.</param>
public sealed record ArenaRoot(string Name, string TypeName, long Count, long Offset, long Bytes);
