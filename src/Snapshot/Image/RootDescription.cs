namespace Snapshot;

/// <summary>A named, typed object in an arena, as an image lists it for inspection.</summary>
/// <param name="RegionId">The id of its arena.</param>
/// <param name="Name">The name.</param>
/// <param name="TypeName">The name of the element type.</param>
/// <param name="Count">The number of elements.</param>
/// <param name="Offset">Bytes from the base of the arena.</param>
public sealed record RootDescription(int RegionId, string Name, string TypeName, long Count, long Offset);
