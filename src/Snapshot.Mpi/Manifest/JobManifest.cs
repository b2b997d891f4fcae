using System.Buffers.Binary;
using System.IO.Hashing;
using Snapshot.Image;

namespace Snapshot.Mpi.Manifest;

/// <summary>
/// Which generations of a job are published: what docs/FORMAT.md, section 4, has in the file <c>job</c>.
/// </summary>
/// <param name="Ranks">The number of ranks; each entry has as many images.</param>
/// <param name="Sequence">Grows with each change; of two manifests the higher one is the newer.</param>
/// <param name="Entries">Ascending by generation.</param>
internal sealed record JobManifest(int Ranks, long Sequence, IReadOnlyList<JobEntry> Entries)
{
    internal const string FileName = "job";

    private const int HeaderBytes = 64;
    private const int ChecksumOffset = 56;
    private const int EntryBytes = 32;
    private const int ImageBytes = 48;
    private const ushort Major = 1;
    private const ushort Minor = 1;

    // The year 9999; what a time of a file may be at most.
    private const long MicrosecondsMax = 253_402_300_799_000_000;

    private static ReadOnlySpan<byte> Magic => "SNAPJOB\n"u8;

    /// <summary>
    /// The generation that the next restart takes, or 0 for the newest; a new entry clears it.
    /// </summary>
    internal long RestartGeneration { get; init; }

    internal JobEntry? Newest => Entries is [.., JobEntry last] ? last : null;

    /// <summary>
    /// The same with one more entry. The oldest are left out beyond so many, except for the newest that
    /// partners have: until they have a newer one it is what survives the loss of a host. So what is being
    /// copied stays, too; else there might never be one where generations come faster than copies.
    /// </summary>
    /// <param name="entry">The newest.</param>
    /// <param name="kept">How many of the newest stay, with it.</param>
    /// <param name="copying">The generations that are being copied.</param>
    internal JobManifest With(JobEntry entry, int kept, params IEnumerable<long> copying)
    {
        HashSet<long> staying = [.. copying, .. Entries.TakeLast(kept - 1).Select(other => other.Generation)];
        if (Entries.LastOrDefault(other => (other.Levels & JobLevels.Partner) != 0) is { } copied)
            staying.Add(copied.Generation);
        return this with
        {
            Entries = [.. Entries.Where(other => staying.Contains(other.Generation)), entry],
            RestartGeneration = 0,
        };
    }

    /// <summary>The same where a level has a generation, too.</summary>
    internal JobManifest With(long generation, JobLevels level) => WithEntries(
        entry => entry.Generation == generation ? entry with { Levels = entry.Levels | level } : entry);

    /// <summary>The same without what is younger than a generation.</summary>
    internal JobManifest UpTo(long generation) =>
        this with { Entries = [.. Entries.Where(entry => entry.Generation <= generation)] };

    /// <summary>The same with each entry changed.</summary>
    internal JobManifest WithEntries(Func<JobEntry, JobEntry> change) =>
        this with { Entries = [.. Entries.Select(change)] };

    internal byte[] Encode()
    {
        FormatWriter writer = new();
        writer.Bytes(Magic);
        writer.U16(Major);
        writer.U16(Minor);
        writer.U32((uint)Ranks);
        writer.U32((uint)Entries.Count);
        writer.U32(0);
        writer.U64((ulong)Sequence);
        writer.U64((ulong)RestartGeneration);
        writer.PadTo(HeaderBytes);
        foreach (JobEntry entry in Entries)
        {
            writer.U64((ulong)entry.Generation);
            writer.U64((ulong)entry.Step);
            writer.U64((ulong)Microseconds(entry.Published));
            writer.U32((uint)entry.Levels);
            writer.U32(0);
            foreach (RankImage image in entry.Images)
            {
                writer.U64((ulong)image.Generation);
                writer.Bytes(image.ImageId.ToByteArray(bigEndian: true));
                writer.U64((ulong)image.FileBytes);
                writer.U64(0);
                writer.U64(0);
            }
        }

        writer.PatchU64(ChecksumOffset, XxHash3.HashToUInt64(writer.Written));
        return writer.Written.ToArray();
    }

    /// <exception cref="SnapshotException">Corrupt, UnsupportedFormat.</exception>
    internal static JobManifest Decode(ReadOnlySpan<byte> bytes, string name)
    {
        if (!bytes.StartsWith(Magic) || bytes.Length < HeaderBytes)
            throw ImageErrors.Corrupt(name, 0, "this is not the manifest of a job");
        byte[] checkedBytes = bytes.ToArray();
        checkedBytes.AsSpan(ChecksumOffset, sizeof(ulong)).Clear();
        if (BinaryPrimitives.ReadUInt64LittleEndian(bytes[ChecksumOffset..]) != XxHash3.HashToUInt64(
            checkedBytes))
            throw ImageErrors.Corrupt(name, ChecksumOffset, "the checksum of the job's manifest is wrong");
        FormatReader reader = new(bytes, name, 0);
        reader.Skip(Magic.Length);
        ushort major = reader.U16();
        if (major != Major) throw ImageErrors.Unsupported(name, 8, $"format {major} of a job's manifest");
        reader.Skip(2);
        uint ranks = reader.U32(), count = reader.U32();
        reader.Skip(4);
        long sequence = reader.Size(), restart = reader.Size();
        reader.Skip(HeaderBytes - 40);
        JobEntry[] entries = new JobEntry[reader.Count(count, EntryBytes)];
        for (int i = 0; i < entries.Length; i++) entries[i] = DecodeEntry(ref reader, ranks);
        reader.ExpectEnd();
        if (!entries.Zip(entries.Skip(1)).All(pair => pair.First.Generation < pair.Second.Generation))
            throw ImageErrors.Corrupt(name, HeaderBytes, "the generations of a job are not in order");
        return new JobManifest((int)ranks, sequence, entries) { RestartGeneration = restart };
    }

    private static JobEntry DecodeEntry(ref FormatReader reader, uint ranks)
    {
        long generation = reader.Size(), step = (long)reader.U64(), published = reader.Size();
        JobLevels levels = (JobLevels)reader.U32();
        reader.Skip(4);
        RankImage[] images = new RankImage[reader.Count(ranks, ImageBytes)];
        Span<byte> id = stackalloc byte[16];
        for (int rank = 0; rank < images.Length; rank++)
        {
            long local = reader.Size();
            for (int i = 0; i < id.Length; i++) id[i] = reader.U8();
            images[rank] = new RankImage(local, new Guid(id, bigEndian: true), reader.Size());
            reader.Skip(ImageBytes - 32);
        }

        return new JobEntry(generation, step, DateTimeOffset.UnixEpoch.AddMicroseconds(
            Math.Min(published, MicrosecondsMax)), images)
        { Levels = levels };
    }

    private static long Microseconds(DateTimeOffset time) =>
        (time - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
}
