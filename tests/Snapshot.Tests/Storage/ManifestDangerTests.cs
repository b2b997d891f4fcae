using Snapshot.Storage;
using Xunit;

namespace Snapshot.Tests.Storage;

/// <summary>What lost whole stores: two things at once, and the last half written over.</summary>
public sealed class ManifestDangerTests
{
    private const string ManifestName = Manifest.FileName;

    [Fact]
    public async Task A_manifest_write_that_fails_during_a_compaction_loses_nothing()
    {
        CrashMedium medium = new();
        StoreScript script = new(1);

        // A time between two microseconds: the manifest rounds it, so the entry read back is not the one
        // written.
        DateTimeOffset created = new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero).AddTicks(7);
        using (SnapshotStore store = SnapshotStore.Open(medium, new StoreOptions()))
        {
            script.Commit(store, full: true, created);
            script.Commit(store, full: false, created);
            FailsOnce during = new(() =>
            {
                medium.Fail = (operation, name) => operation == "write" && name == ManifestName ? 5 : 0;
                SnapshotException unknown =
                    Assert.Throws<SnapshotException>(
                        () => store.Commit(script.Write(store, full: true, created)));
                Assert.Equal(SnapshotErrorCode.OutcomeUnknown, unknown.Code);
                medium.Fail = (_, _) => 0;
                store.ResolveOutcome();
            });
            await store.CompactAsync(2, during);
            Assert.True(during.HasRun);
            Assert.Equal([1L, 2L], store.Generations.Select(info => info.Generation));
            script.Commit(store, full: true, created);
        }

        using SnapshotStore again = SnapshotStore.Open(medium, new StoreOptions());
        Assert.Equal([1L, 2L, 3L], again.Generations.Select(info => info.Generation));
        Assert.Equal(GenerationKind.Full, again.Generations[1].Kind);
        await script.AssertHolds(again);
    }

    [Fact]
    public void Opening_makes_a_new_manifest_and_on_a_full_disk_leaves_the_half_it_read_as_it_is()
    {
        const int NoSpace = 28;
        CrashMedium medium = new();
        using (SnapshotStore store = SnapshotStore.Open(medium, new StoreOptions()))
            new StoreScript(1).Commit(store, full: true);
        byte[] before = Bytes(medium);
        medium.Fail = (operation, name) =>
            operation == "write" && name == ManifestName + ImageFileName.PartialSuffix ? NoSpace : 0;
        SnapshotStore.Open(medium, new StoreOptions()).Dispose();
        byte[] after = Bytes(medium);
        ManifestState read = Newest(before);
        Assert.Equal(Half(before, read.Half), Half(after, read.Half));
        Assert.Equal(read.Sequence + 1, Newest(after).Sequence);
        Assert.Equal(read.Entries, Newest(after).Entries);
        Assert.DoesNotContain(medium.Names, ImageFileName.IsPartial);

        medium.Fail = (operation, name) => operation == "write" && name == ManifestName ? NoSpace : 0;
        SnapshotStore.Open(medium, new StoreOptions()).Dispose();
        Assert.Equal(read.Sequence + 2, Newest(Bytes(medium)).Sequence);
    }

    /// <summary>
    /// The write whose sync failed is on the disk in part, and the next one is cut off, too.
    /// </summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_power_cut_while_an_unknown_outcome_is_settled_leaves_a_valid_slot(bool hasRoom)
    {
        for (int crashAfter = 1; crashAfter <= 8; crashAfter++)
        {
            for (int seed = 0; seed < 40; seed++) SettleAndCrash(crashAfter, seed, hasRoom);
        }
    }

    private static void SettleAndCrash(int crashAfter, int seed, bool hasRoom)
    {
        StoreScript script = new(seed);
        CrashMedium medium = new();
        SnapshotStore store = SnapshotStore.Open(medium, new StoreOptions());
        script.Commit(store, full: true);
        medium.Fail = (operation, name) => operation == "sync" && name == ManifestName ? 5 : 0;
        Assert.Throws<SnapshotException>(() => store.Commit(script.Write(store, full: true)));
        medium.Fail = (operation, name) =>
            !hasRoom && operation == "write" && name == ManifestName + ImageFileName.PartialSuffix ? 28 : 0;
        medium.CrashAt = medium.Operations + crashAfter;
        try
        {
            store.ResolveOutcome();
        }
        catch (SimulatedCrashException)
        {
        }

        using SnapshotStore after =
            SnapshotStore.Open(medium.AfterCrash(new Random(seed)), new StoreOptions());
        Assert.Contains(after.Generations, info => info.Generation == 1);
    }

    /// <summary>
    /// As when the outcome of an earlier compaction turns out after the next one has looked.
    /// </summary>
    [Fact]
    public async Task A_compaction_of_what_another_one_has_replaced_is_refused()
    {
        CrashMedium medium = new();
        StoreScript script = new(1);
        using (SnapshotStore store = SnapshotStore.Open(medium, new StoreOptions()))
        {
            script.Commit(store, full: true);
            script.Commit(store, full: false);
            ManifestEntry looked = store.Holdings.Entries.Single(entry => entry.Generation == 2);
            await store.CompactAsync(2);
            SnapshotException refusal = Assert.Throws<SnapshotException>(
                () => new ImageMerger(store).Merge(looked, int.MaxValue, null, CancellationToken.None));
            Assert.Equal(SnapshotErrorCode.NotFound, refusal.Code);
        }

        using SnapshotStore again = SnapshotStore.Open(medium, new StoreOptions());
        Assert.Equal([1L, 2L], again.Generations.Select(info => info.Generation));
        await script.AssertHolds(again);
    }

    [Theory]
    [InlineData(0, 1, true)]
    [InlineData(1, 1, false)]
    [InlineData(1, 0, false)]
    public void A_state_in_which_a_retired_file_is_one_that_counts_is_not_valid(
        int retired, int counts, bool isValid)
    {
        ManifestEntry entry = new(Guid.NewGuid(), 5, null, 8192, 1, DateTimeOffset.UnixEpoch, counts);
        ManifestState state = new(3, [entry with { Revision = retired, Flags = EntryFlags.Retired }, entry]);
        byte[] half = new byte[ManifestHalf.HalfBytes];
        ManifestHalf.Encode(state, half);
        Assert.Equal(isValid, ManifestHalf.Decode(half, state.Half, ManifestName) is not null);
    }

    [Fact]
    public void After_the_last_sequence_number_the_store_refuses_to_be_written()
    {
        CrashMedium medium = new();
        SnapshotStore.Open(medium, new StoreOptions()).Dispose();
        byte[] half = new byte[ManifestHalf.HalfBytes];
        ManifestState last = new(long.MaxValue, []);
        ManifestHalf.Encode(last, half);
        using (IStoreFile file = medium.OpenForUpdate(ManifestName))
        {
            file.Write(half, (long)last.Half * ManifestHalf.HalfBytes);
            file.Sync();
        }

        SnapshotException error =
            Assert.Throws<SnapshotException>(() => SnapshotStore.Open(medium, new StoreOptions()));
        Assert.Equal(SnapshotErrorCode.LimitReached, error.Code);
        Assert.Contains("new store", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void After_the_last_generation_number_no_image_is_begun()
    {
        CrashMedium medium = new();
        SnapshotStore.Open(medium, new StoreOptions()).Dispose();
        byte[] half = new byte[ManifestHalf.HalfBytes];
        ManifestEntry entry = new(Guid.NewGuid(), long.MaxValue, null, 8192, 1, DateTimeOffset.UnixEpoch, 0);
        ManifestState last = new(3, [entry]);
        ManifestHalf.Encode(last, half);
        using (IStoreFile file = medium.OpenForUpdate(ManifestName))
        {
            file.Write(half, (long)last.Half * ManifestHalf.HalfBytes);
            file.Sync();
        }

        using SnapshotStore store = SnapshotStore.Open(medium, new StoreOptions());
        Assert.Equal(
            SnapshotErrorCode.LimitReached,
            Assert.Throws<SnapshotException>(() => store.NextGeneration).Code);
    }

    private static byte[] Bytes(CrashMedium medium)
    {
        using IStoreFile file = medium.OpenForReading(ManifestName);
        byte[] bytes = new byte[file.Length];
        file.Read(0, bytes);
        return bytes;
    }

    private static byte[] Half(byte[] manifest, int half) =>
        manifest[(half * ManifestHalf.HalfBytes)..((half + 1) * ManifestHalf.HalfBytes)];

    private static ManifestState Newest(byte[] manifest) => Enumerable.Range(0, 2)
        .Select(half => ManifestHalf.Decode(Half(manifest, half), half, ManifestName))
        .OfType<ManifestState>().MaxBy(state => state.Sequence)!;

    private sealed class FailsOnce(Action action) : IProgress<StoreProgress>
    {
        internal bool HasRun { get; private set; }

        public void Report(StoreProgress value)
        {
            if (HasRun) return;
            HasRun = true;
            action();
        }
    }
}
