using System.Buffers.Binary;
using System.IO.Hashing;
using Snapshot.Storage;

namespace Snapshot.Fuzz.Forging;

/// <summary>Makes the checksums of a half of a manifest right whatever its content is.</summary>
internal static class ManifestSeal
{
    private const int CountOffset = 12;
    private const int TagBytesOffset = 32;
    private const int TagChecksumOffset = 40;
    private const int ChecksumOffset = 56;

    internal static void Mend(Span<byte> half)
    {
        int count = BinaryPrimitives.ReadInt32LittleEndian(half[CountOffset..]);
        if (count is < 0 or > ManifestHalf.EntriesMax) return;
        int tags = HeaderBytesAndEntries(count);
        int tagBytes = BinaryPrimitives.ReadInt32LittleEndian(half[TagBytesOffset..]);
        if (tagBytes >= 0 && tagBytes <= half.Length - tags)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(
                half[TagChecksumOffset..], XxHash3.HashToUInt64(half.Slice(tags, tagBytes)));
        }

        XxHash3 hash = new();
        hash.Append(half[..ChecksumOffset]);
        hash.Append(half[ManifestHalf.HeaderBytes..tags]);
        BinaryPrimitives.WriteUInt64LittleEndian(half[ChecksumOffset..], hash.GetCurrentHashAsUInt64());
    }

    private static int HeaderBytesAndEntries(int count) =>
        ManifestHalf.HeaderBytes + count * ManifestHalf.EntryBytes;
}
