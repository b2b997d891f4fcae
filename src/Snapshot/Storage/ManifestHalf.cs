using System.Buffers.Binary;
using System.IO.Hashing;
using Snapshot.Base;
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

    private const int TagBytesOffset = 32;
    private const int TagChecksumOffset = 40;
    private const int TagLengthOffset = 84;
    private const int ChecksumOffset = 56;
    private const ushort Major = 3;
    private const ushort MajorWithoutTags = 2;
    private const ushort OldestMajor = 1;
    private const ushort Minor = 0;

    private static ReadOnlySpan<byte> Magic => "SNAPMAN\n"u8;

    /// <summary>Whether a half has room for entries with these tags.</summary>
    internal static bool Fits(IEnumerable<string?> tags) =>
        HeaderBytes + tags.Sum(tag => (long)EntryBytes + RecordedTag.Encode(tag).Length) <= HalfBytes;

    /// <summary>Bytes of a half that a state uses: whole pages, at most all of it.</summary>
    internal static int LengthFor(ManifestState state) => LengthFor(
        state.Entries.Count, state.Entries.Sum(entry => RecordedTag.Encode(entry.Tag).Length));

    /// <summary>The same of a half whose first page is given; it need not be valid.</summary>
    internal static int LengthOf(ReadOnlySpan<byte> start) => start.StartsWith(Magic)
        ? LengthFor(BinaryPrimitives.ReadInt32LittleEndian(start[12..]), TagBytesOf(start))
        : LengthFor(0, 0);

    /// <summary>Writes the state to the start of a cleared half.</summary>
    internal static void Encode(ManifestState state, Span<byte> half)
    {
        if (!Fits(state.Entries.Select(entry => entry.Tag)))
            throw StoreErrors.TooManyGenerations(Manifest.FileName);

        byte[] tags = [.. state.Entries.SelectMany(entry => RecordedTag.Encode(entry.Tag))];
        Magic.CopyTo(half);
        BinaryPrimitives.WriteUInt16LittleEndian(half[8..], tags.Length > 0 ? Major : MajorWithoutTags);
        BinaryPrimitives.WriteUInt16LittleEndian(half[10..], Minor);
        BinaryPrimitives.WriteInt32LittleEndian(half[12..], state.Entries.Count);
        BinaryPrimitives.WriteInt64LittleEndian(half[16..], state.Sequence);
        BinaryPrimitives.WriteInt64LittleEndian(half[24..], state.RestartGeneration);
        if (tags.Length > 0)
        {
            BinaryPrimitives.WriteInt32LittleEndian(half[TagBytesOffset..], tags.Length);
            BinaryPrimitives.WriteUInt64LittleEndian(half[TagChecksumOffset..], XxHash3.HashToUInt64(tags));
            tags.CopyTo(half[(HeaderBytes + state.Entries.Count * EntryBytes)..]);
        }

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

        if (!TryGetTags(half, count, out ReadOnlySpan<byte> tags)) return null;
        ManifestEntry[] entries = new ManifestEntry[count];
        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<byte> from = half.Slice(HeaderBytes + i * EntryBytes, EntryBytes);
            ManifestEntry? entry = DecodeEntry(from);
            if (entry is null || (i > 0 && !MayFollow(entries[i - 1], entry))) return null;
            int length =
                major >= Major ? BinaryPrimitives.ReadUInt16LittleEndian(from[TagLengthOffset..]) : 0;
            if (length > tags.Length) return null;
            string? tag = RecordedTag.Decode(tags[..length]);
            if (tag is null && length > 0) return null;
            entries[i] = entry with { Tag = tag };
            tags = tags[length..];
        }

        if (!tags.IsEmpty) return null;
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

    private static int LengthFor(int entries, int tagBytes)
    {
        long bytes =
            HeaderBytes + Math.Clamp(entries, 0, EntriesMax) * (long)EntryBytes + Math.Max(tagBytes, 0);
        return (int)Math.Min((bytes + ImageFormat.PageSize - 1) & -ImageFormat.PageSize, HalfBytes);
    }

    private static int TagBytesOf(ReadOnlySpan<byte> half) =>
        BinaryPrimitives.ReadUInt16LittleEndian(half[8..]) >= Major
            ? BinaryPrimitives.ReadInt32LittleEndian(half[TagBytesOffset..])
            : 0;

    /// <summary>All tags of a half; false when they are not as they were written.</summary>
    private static bool TryGetTags(ReadOnlySpan<byte> half, int entries, out ReadOnlySpan<byte> tags)
    {
        tags = [];
        int length = TagBytesOf(half);
        int at = HeaderBytes + entries * EntryBytes;
        if (length < 0 || length > HalfBytes - at) return false;
        if (length == 0) return true;
        tags = half.Slice(at, length);
        return XxHash3.HashToUInt64(tags)
            == BinaryPrimitives.ReadUInt64LittleEndian(half[TagChecksumOffset..]);
    }

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
        BinaryPrimitives.WriteUInt16LittleEndian(
            to[TagLengthOffset..], (ushort)RecordedTag.Encode(entry.Tag).Length);
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
