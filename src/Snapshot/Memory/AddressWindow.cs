using Snapshot.Base;

namespace Snapshot;

/// <summary>
/// A part of the addresses that arenas may have: sessions that are made in different processes, each with a
/// window of its own, can be restored together in one.
/// </summary>
/// <remarks>
/// All windows of one size lie side by side; those of 64 GiB are 848. A GiB above each arena stays free, so a
/// window of 64 GiB holds arenas of 63 GiB together. It counts for arenas that are made; those of an image
/// lie where they were made.
/// </remarks>
/// <param name="Index">Which window of that size, from 0 on.</param>
/// <param name="Bytes">Its size: at least 2 GiB, a multiple of 2 MiB.</param>
public readonly record struct AddressWindow(int Index, long Bytes = 64L << 30)
{
    private const long LeastBytes = 2L << 30;

    internal ulong Begin => RegionLimits.ArenasBegin + ((ulong)Index * (ulong)Bytes);

    internal ulong End => Begin + (ulong)Bytes;

    /// <exception cref="ArgumentOutOfRangeException">There is no such window.</exception>
    internal AddressWindow Checked()
    {
        const long All = (long)(RegionLimits.ArenasEnd - RegionLimits.ArenasBegin);
        _ = OptionValue.MultipleOf(
            OptionValue.InRange(Bytes, LeastBytes, All, nameof(Bytes)), Pages.HugeSize, nameof(Bytes));
        _ = OptionValue.InRange(Index, 0, (All / Bytes) - 1, nameof(Index));
        return this;
    }
}
