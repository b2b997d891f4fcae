namespace Snapshot;

/// <summary>What a named root of an arena is.</summary>
public sealed class ArenaRoot
{
    internal ArenaRoot(string name, string typeName, long count, long offset, long bytes)
    {
        Name = name;
        TypeName = typeName;
        Count = count;
        Offset = offset;
        Bytes = bytes;
    }

    /// <summary>Its name, unique in the arena.</summary>
    public string Name { get; }

    /// <summary>The element type as the program named it that made the root.</summary>
    public string TypeName { get; }

    /// <summary>The number of elements.</summary>
    public long Count { get; }

    /// <summary>Of the first element, in bytes from the arena's base.</summary>
    public long Offset { get; }

    /// <summary>Of all elements.</summary>
    public long Bytes { get; }
}
