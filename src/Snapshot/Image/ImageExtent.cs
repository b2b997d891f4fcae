namespace Snapshot.Image;

/// <summary>A run of pages of a region that have their content in the same place.</summary>
/// <param name="packed">The extent as the format has it: bits 0..7 kind, bits 8..63 page count.</param>
/// <param name="firstPage">The index of the first page in its region.</param>
/// <param name="firstOrdinal">The number of present pages of the image before this extent.</param>
internal readonly struct ImageExtent(ulong packed, long firstPage, long firstOrdinal)
{
    internal const long PageCountMax = (1L << 48) - 1;

    internal ExtentKind Kind => (ExtentKind)(byte)packed;

    internal long PageCount => (long)(packed >> 8);

    internal long FirstPage => firstPage;

    /// <summary>
    /// The place of the first page in the page stream; meaningful when the kind is present.
    /// </summary>
    internal long FirstOrdinal => firstOrdinal;

    internal static ulong Pack(ExtentKind kind, long pageCount) => ((ulong)pageCount << 8) | (byte)kind;
}
