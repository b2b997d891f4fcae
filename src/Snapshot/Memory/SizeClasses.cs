using System.Numerics;

namespace Snapshot.Memory;

/// <summary>
/// The sizes of cells: 16 to 128 bytes in steps of 16, then four to each doubling, up to 8 KiB.
/// </summary>
/// <remarks>
/// So a cell wastes a fifth at most, and a quarter of all sizes (the powers of two) keeps any alignment up to
/// the size itself. Above 8 KiB whole pages waste less.
/// </remarks>
internal static class SizeClasses
{
    internal const int Count = 32;

    internal const int MaxBytes = 8192;

    internal static int Bytes(int sizeClass) =>
        sizeClass < 8 ? (sizeClass + 1) * 16 : (5 + (sizeClass - 8) % 4) * (32 << (sizeClass - 8) / 4);

    /// <summary>
    /// The smallest class whose cells hold <paramref name="bytes"/> bytes, 1 to <see cref="MaxBytes"/>.
    /// </summary>
    internal static int Holding(int bytes)
    {
        if (bytes <= 128) return (bytes + 15) / 16 - 1;
        int log = BitOperations.Log2((uint)bytes - 1);
        return 8 + (log - 7) * 4 + ((bytes - 1 >> (log - 2)) & 3);
    }

    /// <summary>
    /// The smallest class that holds <paramref name="bytes"/> bytes in cells aligned to the power of two
    /// <paramref name="alignment"/>, or -1. Slabs begin at 64 KiB boundaries, so a cell is aligned as its
    /// size is.
    /// </summary>
    internal static int Holding(long bytes, int alignment)
    {
        if (Math.Max(bytes, alignment) > MaxBytes) return -1;
        int sizeClass = Holding((int)bytes);
        while (Bytes(sizeClass) % alignment != 0) sizeClass++;
        return sizeClass;
    }
}
