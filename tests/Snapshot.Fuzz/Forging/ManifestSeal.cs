using System.Buffers.Binary;
using System.IO.Hashing;
using Snapshot.Storage;

namespace Snapshot.Fuzz.Forging;

/// <summary>Makes the checksum of a half of a manifest right whatever its content is.</summary>
internal static class ManifestSeal
{
    private const int CountOffset = 12;
    private const int ChecksumOffset = 56;

    internal static void Mend(Span<byte> half)
    {
        int count = BinaryPrimitives.ReadInt32LittleEndian(half[CountOffset..]);
        if (count is < 0 or > ManifestHalf.EntriesMax) return;
        XxHash3 hash = new();
        hash.Append(half[..ChecksumOffset]);
        hash.Append(half.Slice(ManifestHalf.HeaderBytes, count * ManifestHalf.EntryBytes));
        BinaryPrimitives.WriteUInt64LittleEndian(half[ChecksumOffset..], hash.GetCurrentHashAsUInt64());
    }
}
