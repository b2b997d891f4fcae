using Snapshot.Image;
using Snapshot.Storage;
using Xunit;

namespace Snapshot.Tests.Storage;

/// <summary>
/// A manifest that is damaged, missing or too old costs no image, and is never kept quiet about.
/// </summary>
public sealed class LostManifestTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("snapshot-manifest-").FullName;
    private readonly StoreScript _script = new(1);

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task A_flipped_byte_in_the_newer_half_is_told_and_the_newest_image_is_set_aside_and_recovered()
    {
        Commit(full: true);
        Commit(full: false);
        DamageSlot(newer: true);

        using (SnapshotStore readOnly = SnapshotStore.OpenReadOnly(_directory))
        {
            Assert.Equal(
                [StoreFindingKind.DamagedHalf, StoreFindingKind.UnlistedImage],
                readOnly.Findings.Select(finding => finding.Kind));
            VerifyReport report = await readOnly.VerifyAsync();
            Assert.False(report.IsIntact);
            Assert.Equal([null, 2L], report.Problems.Select(problem => problem.Generation));
        }

        using (SnapshotStore store = SnapshotStore.Open(_directory))
        {
            Assert.Equal(
                [StoreFindingKind.DamagedHalf, StoreFindingKind.ImageSetAside],
                store.Findings.Select(finding => finding.Kind));
            Assert.Equal(3, store.NextGeneration);
        }

        RecoveryReport recovered = SnapshotStore.Recover(_directory);
        Assert.Equal(
            [RecoveryOutcome.Kept, RecoveryOutcome.ListedAgain],
            recovered.Images.Select(image => image.Outcome));
        await AssertAllThere(1, 2);
    }

    [Fact]
    public async Task An_older_manifest_that_was_put_back_deletes_nothing()
    {
        Commit(full: true);
        byte[] copy = File.ReadAllBytes(ManifestPath);
        Commit(full: false);
        Commit(full: false);
        File.WriteAllBytes(ManifestPath, copy);

        // Another writer goes on from the older state; what it did not know of is set aside.
        using (SnapshotStore store = SnapshotStore.Open(_directory))
        {
            Assert.Equal([1L], store.Generations.Select(info => info.Generation));
            Assert.Equal(2, store.Findings.Count(finding => finding.Kind == StoreFindingKind.ImageSetAside));
        }

        Assert.True(SnapshotStore.Recover(_directory, dryRun: true).ChangesAnything);
        Assert.True(SnapshotStore.Recover(_directory).ChangesAnything);
        Assert.False(SnapshotStore.Recover(_directory).ChangesAnything);
        await AssertAllThere(1, 2, 3);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Without_a_valid_half_the_store_is_refused_and_recovered_from_its_images(bool missing)
    {
        Commit(full: true);
        Commit(full: false);
        if (missing)
        {
            File.Delete(ManifestPath);
        }
        else
        {
            DamageSlot(newer: true);
            DamageSlot(newer: false);
        }

        SnapshotException refused = Assert.Throws<SnapshotException>(() => SnapshotStore.Open(_directory));
        Assert.Equal(SnapshotErrorCode.Corrupt, refused.Code);
        Assert.Contains("snapshot recover", refused.Message, StringComparison.Ordinal);
        RecoveryReport report = SnapshotStore.Recover(_directory);
        Assert.Equal(2, report.GenerationCount);
        Assert.Equal(missing ? null : "manifest.replaced", report.ReplacedManifest);
        await AssertAllThere(1, 2);
    }

    [Fact]
    public async Task A_recovery_lists_no_image_whose_parent_is_gone_and_leaves_the_file_alone()
    {
        Commit(full: true);
        Commit(full: true);
        Commit(full: false);
        File.Delete(ManifestPath);
        File.Delete(Path.Combine(_directory, "0000000002.snapshot"));
        RecoveryReport report = SnapshotStore.Recover(_directory);
        Assert.Equal(
            [(1L, RecoveryOutcome.ListedAgain), (3L, RecoveryOutcome.LeftAlone)],
            report.Images.Select(image => (image.Generation!.Value, image.Outcome)));
        Assert.True(File.Exists(Path.Combine(_directory, "0000000003.snapshot")));
        await AssertAllThere(1);
    }

    [Fact]
    public void A_directory_without_images_is_not_made_a_store()
    {
        SnapshotException error = Assert.Throws<SnapshotException>(() => SnapshotStore.Recover(_directory));
        Assert.Equal(SnapshotErrorCode.NotFound, error.Code);
        Assert.False(File.Exists(ManifestPath));
    }

    [Fact]
    public void A_store_that_is_open_for_writing_is_not_recovered()
    {
        Commit(full: true);
        using SnapshotStore open = SnapshotStore.Open(_directory);
        Assert.Equal(
            SnapshotErrorCode.StoreBusy,
            Assert.Throws<SnapshotException>(() => SnapshotStore.Recover(_directory)).Code);
    }

    [Fact]
    public async Task A_recovery_that_stops_anywhere_can_be_done_again()
    {
        for (int crashAt = 1; ; crashAt++)
        {
            CrashMedium medium = new();
            StoreScript script = new(3);
            using (SnapshotStore store = SnapshotStore.Open(medium, new StoreOptions()))
            {
                script.Commit(store, full: true);
                script.Commit(store, full: false);
            }

            medium.Delete(Manifest.FileName);
            medium.SyncDirectory();
            CrashMedium crashing = medium.AfterCrash(new Random(crashAt), crashAt);
            bool crashed = false;
            try
            {
                SnapshotStore.Recover(crashing, dryRun: false);
            }
            catch (SimulatedCrashException)
            {
                crashed = true;
            }

            CrashMedium after = crashing.AfterCrash(new Random(crashAt));
            SnapshotStore.Recover(after, dryRun: false);
            using SnapshotStore again = SnapshotStore.Open(after, new StoreOptions());
            Assert.Equal([1L, 2L], again.Generations.Select(info => info.Generation));
            await script.AssertHolds(again);
            if (!crashed) break;
        }
    }

    private string ManifestPath => Path.Combine(_directory, Manifest.FileName);

    private void Commit(bool full)
    {
        using SnapshotStore store = SnapshotStore.Open(_directory);
        _script.Commit(store, full);
    }

    private async Task AssertAllThere(params long[] generations)
    {
        using SnapshotStore store = SnapshotStore.Open(_directory);
        Assert.Equal(generations, store.Generations.Select(info => info.Generation));
        await _script.AssertHolds(store);
    }

    private void DamageSlot(bool newer)
    {
        using FileStream file = File.Open(ManifestPath, FileMode.Open);
        long[] sequences = [.. Enumerable.Range(0, 2).Select(half => SequenceOf(file, half))];
        int wanted = sequences[0] > sequences[1] == newer ? 0 : 1;
        file.Position = wanted * ManifestHalf.HalfBytes + ManifestHalf.HeaderBytes + 5;
        int found = file.ReadByte();
        file.Position--;
        file.WriteByte((byte)(found ^ 1));
    }

    private static long SequenceOf(FileStream file, int half)
    {
        byte[] bytes = new byte[8];
        file.Position = half * ManifestHalf.HalfBytes + 16;
        file.ReadExactly(bytes);
        return BitConverter.ToInt64(bytes);
    }
}
