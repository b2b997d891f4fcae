using System.Buffers.Binary;
using System.IO.Hashing;
using Snapshot.Image;

namespace Snapshot.Storage;

/// <summary>What a half of the manifest holds: the state of the store at one sequence number.</summary>
/// <param name="Sequence">At least 1; odd ones live in half 0, even ones in half 1.</param>
/// <param name="Entries">
/// Ascending by generation; the retired ones of a generation before the one that counts.
/// </param>
/// <param name="RestartGeneration">The generation that the next restart takes, or 0 for the newest.</param>
internal sealed record ManifestState(
    long Sequence, IReadOnlyList<ManifestEntry> Entries, long RestartGeneration = 0)
{
    internal int Half => (int)((Sequence + 1) & 1);
}

/// <summary>Encodes and decodes a half of the manifest as docs/FORMAT.md, section 3.1, has it.</summary>
internal static class ManifestHalf
{
    internal const int HalfBytes = 256 * 1024;
    internal const int HeaderBytes = 64;
    internal const int EntryBytes = 96;
    internal const int EntriesMax = (HalfBytes - HeaderBytes) / EntryBytes;

    private const int ChecksumOffset = 56;
    private const ushort Major = 2;
    private const ushort OldestMajor = 1;
    private const ushort Minor = 0;

    private static ReadOnlySpan<byte> Magic => "SNAPMAN\n"u8;

    /// <summary>Bytes of a half that so many entries use: whole pages, at most all of it.</summary>
    internal static int LengthFor(int entries) =>
        (HeaderBytes + Math.Clamp(entries, 0, EntriesMax) * EntryBytes + ImageFormat.PageSize - 1)
        & -ImageFormat.PageSize;

    /// <summary>The same of a half whose first page is given; it need not be valid.</summary>
    internal static int LengthOf(ReadOnlySpan<byte> start) =>
        LengthFor(start.StartsWith(Magic) ? BinaryPrimitives.ReadInt32LittleEndian(start[12..]) : 0);

    /// <summary>Writes the state to the start of a cleared half.</summary>
    internal static void Encode(ManifestState state, Span<byte> half)
    {
        if (state.Entries.Count > EntriesMax) throw StoreErrors.TooManyGenerations(Manifest.FileName);

        Magic.CopyTo(half);
        BinaryPrimitives.WriteUInt16LittleEndian(half[8..], Major);
        BinaryPrimitives.WriteUInt16LittleEndian(half[10..], Minor);
        BinaryPrimitives.WriteInt32LittleEndian(half[12..], state.Entries.Count);
        BinaryPrimitives.WriteInt64LittleEndian(half[16..], state.Sequence);
        BinaryPrimitives.WriteInt64LittleEndian(half[24..], state.RestartGeneration);
        for (int i = 0; i < state.Entries.Count; i++)
            EncodeEntry(state.Entries[i], half.Slice(HeaderBytes + i * EntryBytes, EntryBytes));
        BinaryPrimitives.WriteUInt64LittleEndian(
            half[ChecksumOffset..], ChecksumOf(half, state.Entries.Count));
    }

    /// <summary>The state in a half, or null when the half is not valid.</summary>
    /// <exception cref="SnapshotException">UnsupportedFormat: the half is intact and of another major
    /// version.</exception>
    internal static ManifestState? Decode(ReadOnlySpan<byte> half, int number, string path)
    {
        if (!half.StartsWith(Magic)) return null;
        int count = BinaryPrimitives.ReadInt32LittleEndian(half[12..]);
        if (count is < 0 or > EntriesMax) return null;
        if (ChecksumOf(half, count) != BinaryPrimitives.ReadUInt64LittleEndian(half[ChecksumOffset..]))
            return null;
        ushort major = BinaryPrimitives.ReadUInt16LittleEndian(half[8..]);
        if (major is < OldestMajor or > Major)
            throw ImageErrors.Unsupported(
                path, (long)number * HalfBytes,
                $"the manifest has format {major}, this library reads {OldestMajor} to {Major}");

        ManifestEntry[] entries = new ManifestEntry[count];
        for (int i = 0; i < count; i++)
        {
            ManifestEntry? entry = DecodeEntry(half.Slice(HeaderBytes + i * EntryBytes, EntryBytes));
            if (entry is null || (i > 0 && !MayFollow(entries[i - 1], entry))) return null;
            entries[i] = entry;
        }

        ManifestState state = new(
            BinaryPrimitives.ReadInt64LittleEndian(half[16..]), entries,
            BinaryPrimitives.ReadInt64LittleEndian(half[24..]));
        return state.Sequence >= 1 && state.Half == number && state.RestartGeneration >= 0 ? state : null;
    }

    /// <summary>
    /// Ascending, no file twice, and one entry that counts for each generation: the last one.
    /// </summary>
    private static bool MayFollow(ManifestEntry before, ManifestEntry entry) =>
        entry.Generation > before.Generation
        || (entry.Generation == before.Generation && before.IsRetired && entry.Revision > before.Revision);

    private static ulong ChecksumOf(ReadOnlySpan<byte> half, int count)
    {
        XxHash3 hash = new();
        hash.Append(half[..ChecksumOffset]);
        hash.Append(half.Slice(HeaderBytes, count * EntryBytes));
        return hash.GetCurrentHashAsUInt64();
    }

    private static void EncodeEntry(ManifestEntry entry, Span<byte> to)
    {
        BinaryPrimitives.WriteInt64LittleEndian(to, entry.Generation);
        BinaryPrimitives.WriteInt64LittleEndian(to[8..], entry.Parent?.Generation ?? 0);
        entry.ImageId.TryWriteBytes(to[16..]);
        (entry.Parent?.ImageId ?? Guid.Empty).TryWriteBytes(to[32..]);
        BinaryPrimitives.WriteInt64LittleEndian(to[48..], entry.FileLength);
        BinaryPrimitives.WriteUInt64LittleEndian(to[56..], entry.IndexChecksum);
        BinaryPrimitives.WriteInt64LittleEndian(to[64..], ImageFormat.ToFileTime(entry.Created));
        BinaryPrimitives.WriteUInt32LittleEndian(
            to[72..], (uint)(entry.Parent is null ? GenerationKind.Full : GenerationKind.Incremental));
        BinaryPrimitives.WriteInt32LittleEndian(to[76..], entry.Revision);
        BinaryPrimitives.WriteUInt32LittleEndian(to[80..], (uint)entry.Flags);
    }

    private static ManifestEntry? DecodeEntry(ReadOnlySpan<byte> from)
    {
        long generation = BinaryPrimitives.ReadInt64LittleEndian(from);
        long parent = BinaryPrimitives.ReadInt64LittleEndian(from[8..]);
        Guid parentId = new(from.Slice(32, 16));
        int revision = BinaryPrimitives.ReadInt32LittleEndian(from[76..]);
        EntryFlags flags = (EntryFlags)BinaryPrimitives.ReadUInt32LittleEndian(from[80..]);
        uint kind = (uint)(parent == 0 ? GenerationKind.Full : GenerationKind.Incremental);
        bool possible = generation >= 1 && parent >= 0 && parent < generation
            && (parent == 0) == (parentId == Guid.Empty) && revision >= 0
            && BinaryPrimitives.ReadUInt32LittleEndian(from[72..]) == kind
            && (flags & ~(EntryFlags.Retired | EntryFlags.PassedOver)) == 0;
        if (!possible) return null;
        return new ManifestEntry(
            new Guid(from.Slice(16, 16)), generation, parent == 0 ? null : new ImageLink(parentId, parent),
            BinaryPrimitives.ReadInt64LittleEndian(from[48..]),
            BinaryPrimitives.ReadUInt64LittleEndian(from[56..]),
            ImageFormat.FromFileTime(BinaryPrimitives.ReadInt64LittleEndian(from[64..])), revision,
            flags);
    }
}
