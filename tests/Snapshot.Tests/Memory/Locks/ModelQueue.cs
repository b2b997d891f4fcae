namespace Snapshot.Tests.Memory.Locks;

/// <summary>A list of up to ten small numbers (0 to 6), as a value that models can compare.</summary>
internal readonly record struct ModelQueue(int Packed)
{
    internal bool IsEmpty => Packed == 0;

    /// <summary>The first; there must be one.</summary>
    internal int First => (Packed & 7) - 1;

    internal IEnumerable<int> Items
    {
        get
        {
            for (int rest = Packed; rest != 0; rest >>= 3) yield return (rest & 7) - 1;
        }
    }

    internal ModelQueue Add(int item)
    {
        int shift = 0;
        while (Packed >> shift != 0) shift += 3;
        return new ModelQueue(Packed | (item + 1) << shift);
    }

    internal ModelQueue Add(IEnumerable<int> items) =>
        items.Aggregate(this, (queue, item) => queue.Add(item));

    internal ModelQueue Without(int item) => new ModelQueue().Add(Items.Where(other => other != item));

    internal ModelQueue Without(IEnumerable<int> items) =>
        items.Aggregate(this, (queue, item) => queue.Without(item));

    public override string ToString() => $"[{string.Join(' ', Items)}]";
}
