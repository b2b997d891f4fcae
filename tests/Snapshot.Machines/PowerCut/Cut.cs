namespace Snapshot.Machines.PowerCut;

/// <summary>What a disk had done of the writes since its last flush, when the power went.</summary>
internal enum UnflushedWrites
{
    /// <summary>All, in order.</summary>
    All,

    /// <summary>A random half of them, in order.</summary>
    RandomHalf,

    /// <summary>A random half of them, in random order.</summary>
    RandomHalfInRandomOrder,
}

/// <summary>A moment at which the power goes, and what the disk makes of it.</summary>
/// <param name="Position">How many entries of the log were done.</param>
/// <param name="Unflushed">What is kept of those since the last flush.</param>
/// <param name="Seed">Of the random halves and orders.</param>
internal readonly record struct Cut(int Position, UnflushedWrites Unflushed, int Seed)
{
    /// <summary>Shortly after an acknowledgement is within so many entries.</summary>
    private const int Shortly = 12;

    /// <summary>
    /// Random cuts, in the order of the log. One half falls anywhere, one shortly after an acknowledgement,
    /// when the most is promised and the least time has passed.
    /// </summary>
    internal static Cut[] Choose(
        int count, int entries, IReadOnlyList<Acknowledgement> acknowledged, int seed)
    {
        Random random = new(seed);
        Cut[] cuts = new Cut[count];
        for (int index = 0; index < count; index++)
        {
            bool isAnywhere = index % 2 == 0 || acknowledged.Count == 0;
            int position = isAnywhere
                ? random.Next(entries + 1)
                : acknowledged[random.Next(acknowledged.Count)].Position + 1 + random.Next(Shortly);
            cuts[index] = new Cut(
                Math.Min(position, entries), (UnflushedWrites)random.Next(3), random.Next());
        }

        return [.. cuts.OrderBy(cut => cut.Position)];
    }
}
