namespace Snapshot.Base;

/// <summary>The page, the unit in which memory is tracked and imaged, and arithmetic on it.</summary>
internal static class Pages
{
    /// <summary>Bytes of a page.</summary>
    internal const int Size = 4096;

    /// <summary>log2 of <see cref="Size"/>.</summary>
    internal const int Shift = 12;

    /// <summary>Bytes of a huge page.</summary>
    internal const int HugeSize = 2 * 1024 * 1024;

    /// <summary>The number of pages that hold <paramref name="bytes"/> bytes, rounded up.</summary>
    internal static long Holding(long bytes) => (bytes + Size - 1) >> Shift;

    /// <summary>Bytes of <paramref name="pages"/> pages.</summary>
    internal static long Bytes(long pages) => pages << Shift;

    /// <summary>
    /// Rounds <paramref name="bytes"/> up to a multiple of the power of two <paramref name="alignment"/>.
    /// </summary>
    internal static long AlignUp(long bytes, long alignment) => (bytes + alignment - 1) & -alignment;
}
