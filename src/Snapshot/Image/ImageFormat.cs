using Snapshot.Base;

namespace Snapshot.Image;

/// <summary>The constants of docs/FORMAT.md.</summary>
internal static class ImageFormat
{
    internal const ushort Major = 1;
    internal const ushort Minor = 5;
    internal const int PageSize = Pages.Size;
    internal const int BlockPagesMax = 64;
    internal const int BlockBytesMax = BlockPagesMax * PageSize;

    internal const int ExtentBytes = 8;
    internal const int BlockEntryBytes = 24;
    internal const int FileOrderEntryBytes = 4;
    internal const int RegionEntryBytes = 48;
    internal const int IndexPreambleBytes = 32;
    internal const int SectionHeaderBytes = 16;
    internal const uint SectionRequired = 1;

    /// <summary>The minor version that added the tag to the header.</summary>
    internal const int TagSince = 5;

    internal const byte LittleEndian = 1;
    internal const byte BigEndian = 2;

    /// <summary>Where header and footer page keep their own checksum.</summary>
    internal const int PageChecksumOffset = PageSize - 8;

    internal static ReadOnlySpan<byte> HeaderMagic => [0x89, 0x53, 0x4E, 0x41, 0x50, 0x0D, 0x0A, 0x1A];

    internal static ReadOnlySpan<byte> IndexMagic => "SNAPIDX\n"u8;

    internal static ReadOnlySpan<byte> FooterMagic => "SNAPEND\n"u8;

    internal static class Header
    {
        internal const int Major = 8, Minor = 10, PageSize = 12, ImageId = 16, Generation = 32, ParentId = 40,
            ParentGeneration = 56,
            Created = 64, Kind = 72, BlockPages = 76, Architecture = 80, ByteOrder = 82,
            TagLength = 84, Tag = 86;
    }

    internal static class Footer
    {
        internal const int Major = 8, Minor = 10, IndexOffset = 16, IndexLength = 24, IndexChecksum = 32,
            FileLength = 40, ImageId = 48;
    }

    /// <summary>Section ids: four ASCII letters as they stand in the file.</summary>
    internal static class Section
    {
        internal const uint Blocks = 'B' | 'L' << 8 | 'K' << 16 | 'S' << 24;
        internal const uint FileOrder = 'O' | 'R' << 8 | 'D' << 16 | 'R' << 24;
        internal const uint HighestEncoding = 'E' | 'N' << 8 | 'C' << 16 | 'D' << 24;
        internal const uint Regions = 'R' | 'E' << 8 | 'G' << 16 | 'N' << 24;
        internal const uint Extents = 'E' | 'X' << 8 | 'T' << 16 | 'N' << 24;
        internal const uint Roots = 'R' | 'O' << 8 | 'O' << 16 | 'T' << 24;
        internal const uint Participants = 'P' | 'A' << 8 | 'R' << 16 | 'T' << 24;
        internal const uint LockOwners = 'O' | 'W' << 8 | 'N' << 16 | 'R' << 24;
        internal const uint AsyncHandlers = 'H' | 'N' << 8 | 'D' << 16 | 'L' << 24;
        internal const uint Environment = 'E' | 'N' << 8 | 'V' << 16 | 'I' << 24;
        internal const uint Figures = 'F' | 'I' << 8 | 'G' << 16 | 'R' << 24;
    }

    /// <summary>Microseconds since 1970, as the format keeps time.</summary>
    internal static long ToFileTime(DateTimeOffset time) =>
        (time.UtcTicks - DateTimeOffset.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond;

    /// <summary>
    /// The time of a file; a value beyond what the platform can express becomes the nearest that it can.
    /// </summary>
    internal static DateTimeOffset FromFileTime(long microseconds)
    {
        const long Least = -62_135_596_800_000_000, Most = 253_402_300_799_999_999;
        return DateTimeOffset.UnixEpoch.AddTicks(
            Math.Clamp(microseconds, Least, Most) * TimeSpan.TicksPerMicrosecond);
    }
}
