using Snapshot.Mpi.Manifest;
using Snapshot.Tests.Session;
using Xunit;

namespace Snapshot.Tests.Mpi;

/// <summary>The manifest of a job, byte by byte as docs/FORMAT.md has it.</summary>
public sealed class JobManifestTests
{
    private static readonly JobManifest s_manifest = new(
        Ranks: 2, Sequence: 7,
        [
            Entry(3, step: 15, new RankImage(3, Id(1), 8192), new RankImage(4, Id(2), 12288)),
            Entry(4, step: -1, new RankImage(5, Id(3), 4096), new RankImage(6, Id(4), 16384)),
        ]);

    // What version 1.1 writes; 1.0 had a 0 for it, and no entry at a level.
    private const string Golden =
        "534E41504A4F420A01000100020000000200000000000000070000000000000000000000000000000000000000000000" +
        "0000000000000000";

    [Fact]
    public void What_is_written_is_read_and_has_the_bytes_of_the_format()
    {
        byte[] bytes = s_manifest.Encode();
        Assert.Equal(64 + 2 * (32 + 2 * 48), bytes.Length);
        Assert.Equal(Golden, Convert.ToHexString(bytes[..56]));
        Assert.Equal(BitConverter.GetBytes(3L), bytes[64..72]);
        Assert.Equal(BitConverter.GetBytes(15L), bytes[72..80]);
        Assert.Equal(BitConverter.GetBytes(1_000_000L), bytes[80..88]);
        Assert.Equal(Id(2).ToByteArray(bigEndian: true), bytes[152..168]);
        Assert.Equal(BitConverter.GetBytes(12288L), bytes[168..176]);

        JobManifest read = JobManifest.Decode(bytes, "job");
        Assert.Equal((2, 7L), (read.Ranks, read.Sequence));
        Assert.Equal(s_manifest.Entries.Select(Text), read.Entries.Select(Text));
    }

    [Fact]
    public void No_bit_can_be_changed_unnoticed()
    {
        byte[] bytes = s_manifest.Encode();
        for (int bit = 0; bit < bytes.Length * 8; bit++)
        {
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
            SnapshotException error =
                Assert.Throws<SnapshotException>(() => JobManifest.Decode(bytes, "job"));
            Assert.Equal(SnapshotErrorCode.Corrupt, error.Code);
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
        }
    }

    [Fact]
    public void No_cut_is_read()
    {
        byte[] bytes = s_manifest.Encode();
        for (int length = 0; length < bytes.Length; length++)
        {
            Assert.Equal(
                SnapshotErrorCode.Corrupt,
                Assert.Throws<SnapshotException>(
                    () => JobManifest.Decode(bytes.AsSpan(0, length), "job")).Code);
        }
    }

    [Fact]
    public void The_oldest_entries_go_beyond_those_that_are_kept()
    {
        JobManifest next = s_manifest.With(
            Entry(5, step: 30, new RankImage(6, Id(5), 1), new RankImage(7, Id(6), 1)), kept: 2);
        Assert.Equal(5, next.Newest!.Generation);
        Assert.Equal([4, 5], next.Entries.Select(entry => entry.Generation));
    }

    [Fact]
    public void What_levels_have_is_read_back_and_the_newest_that_partners_have_stays()
    {
        JobManifest copied = s_manifest.With(3, JobLevels.Partner).With(3, JobLevels.Shared);
        JobManifest read = JobManifest.Decode(copied.Encode(), "job");
        Assert.Equal(
            [JobLevels.Partner | JobLevels.Shared, JobLevels.None],
            read.Entries.Select(entry => entry.Levels));
        Assert.Equal((byte)3, copied.Encode()[64 + 24]);

        JobManifest next = read.With(New(5), kept: 2);
        Assert.Equal([3, 4, 5], next.Entries.Select(entry => entry.Generation));
        next = next.With(4, JobLevels.Shared).With(New(6), kept: 2);
        Assert.Equal([3, 5, 6], next.Entries.Select(entry => entry.Generation));
        next = next.With(5, JobLevels.Partner).With(New(7), kept: 2);
        Assert.Equal([5, 6, 7], next.Entries.Select(entry => entry.Generation));
        Assert.Equal(
            [5, 6, 7, 8],
            next.With(New(8), kept: 1, copying: [6, 7]).Entries.Select(entry => entry.Generation));
        Assert.Equal([5, 6], next.UpTo(6).Entries.Select(entry => entry.Generation));
    }

    /// <summary>As it was written before there were levels: an older version, and zeros.</summary>
    [Fact]
    public void A_manifest_of_version_1_0_is_read()
    {
        byte[] bytes = s_manifest.Encode();
        bytes[10] = 0;
        bytes.AsSpan(56, 8).Clear();
        BitConverter.TryWriteBytes(
            bytes.AsSpan(56), System.IO.Hashing.XxHash3.HashToUInt64(bytes));
        Assert.Equal(s_manifest.Entries.Select(Text), JobManifest.Decode(bytes, "job").Entries.Select(Text));
    }

    [Fact]
    public void A_directory_without_a_manifest_is_a_job_that_published_nothing_and_a_survey_is_of_none()
    {
        using TemporaryStore store = new();
        Assert.Null(JobSurvey.Of(store.Path));
        Directory.CreateDirectory(store.Path);
        Assert.Null(JobManifestFile.Read(store.Path));
        JobManifestFile.Write(store.Path, s_manifest, new StoreOptions(), static _ => { });
        Assert.Equal(7, JobManifestFile.Read(store.Path)!.Sequence);
        JobSurvey survey = JobSurvey.Of(store.Path)!;
        Assert.All(survey.Ranks, rank => Assert.False(rank.IsHere));
        Assert.All(survey.Manifest.Entries, entry => Assert.Equal(0, survey.RanksWith(entry)));
    }

    private static JobEntry Entry(long generation, long step, params RankImage[] images) =>
        new(generation, step, DateTimeOffset.UnixEpoch.AddSeconds(1), images);

    private static JobEntry New(long generation) =>
        Entry(generation, 5 * generation, new RankImage(6, Id(5), 1), new RankImage(7, Id(6), 1));

    private static Guid Id(byte last) => new([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, last]);

    private static string Text(JobEntry entry) =>
        $"{entry.Generation} {entry.Step} {entry.Published:O} {string.Join(' ', entry.Images)}";
}
