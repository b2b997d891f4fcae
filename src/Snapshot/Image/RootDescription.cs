namespace Snapshot.Inspection;

/// <summary>A named, typed object in an arena, as an image lists it for inspection.</summary>
public sealed class RootDescription
{
    internal RootDescription(int regionId, string name, string typeName, long count, long offset)
    {
        RegionId = regionId;
        Name = name;
        TypeName = typeName;
        Count = count;
        Offset = offset;
    }

    /// <summary>The id of its arena.</summary>
    public int RegionId { get; }

    /// <summary>The name.</summary>
    public string Name { get; }

    /// <summary>The name of the element type.</summary>
    public string TypeName { get; }

    /// <summary>The number of elements.</summary>
    public long Count { get; }

    /// <summary>Bytes from the base of the arena.</summary>
    public long Offset { get; }
}
