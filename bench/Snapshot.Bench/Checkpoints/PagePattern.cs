namespace Snapshot.Bench;

/// <summary>Which of an array's pages a round writes.</summary>
internal sealed record PagePattern(long Pages, double DirtyPercent, bool IsDense)
{
    internal const int PageBytes = 4096;
    internal const string Dense = "dense", Random = "random";

    internal long DirtyPages => Math.Max(1, (long)(Pages * DirtyPercent / 100));

    internal static long[] All(long pages)
    {
        long[] all = new long[pages];
        for (long page = 0; page < pages; page++) all[page] = page;
        return all;
    }

    /// <summary>The pages of a round, ascending and distinct.</summary>
    internal long[] Choose(Random random)
    {
        long[] pages = new long[DirtyPages];
        if (IsDense)
        {
            long first = random.NextInt64(Pages - pages.Length + 1);
            for (long index = 0; index < pages.Length; index++) pages[index] = first + index;
            return pages;
        }

        // One page in each of as many equal strata: random, distinct, and cheap.
        for (long index = 0; index < pages.Length; index++)
        {
            long from = (long)((Int128)index * Pages / pages.Length);
            long to = (long)((Int128)(index + 1) * Pages / pages.Length);
            pages[index] = random.NextInt64(from, to);
        }

        return pages;
    }
}
