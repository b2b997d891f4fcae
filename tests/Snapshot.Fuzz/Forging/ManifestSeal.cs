using System.Buffers.Binary;
using System.IO.Hashing;
using Snapshot.Storage;

namespace Snapshot.Fuzz.Forging;

/// <summary>Makes the checksum of a slot of a manifest right whatever its content is.</summary>
internal static class ManifestSeal
{
    private const int CountOffset = 12;
    private const int ChecksumOffset = 56;

    internal static void Mend(Span<byte> slot)
    {
        int count = BinaryPrimitives.ReadInt32LittleEndian(slot[CountOffset..]);
        if (count is < 0 or > ManifestSlot.EntriesMax) return;
        XxHash3 hash = new();
        hash.Append(slot[..ChecksumOffset]);
        hash.Append(slot.Slice(ManifestSlot.HeaderBytes, count * ManifestSlot.EntryBytes));
        BinaryPrimitives.WriteUInt64LittleEndian(slot[ChecksumOffset..], hash.GetCurrentHashAsUInt64());
    }
}
