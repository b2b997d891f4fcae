using Snapshot.Storage;
using Xunit;

namespace Snapshot.Tests.Storage;

/// <summary>
/// The machine stops at every single operation of a store's life, and once more while it recovers.
/// </summary>
public sealed class StoreCrashTests
{
    private static readonly RetentionPolicy s_keepOne = new() { KeepLast = 1 };

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task No_crash_loses_or_changes_a_committed_generation(int seed)
    {
        int operations = await Run(new CrashMedium(), new Life(seed));
        Assert.InRange(operations, 60, 400);
        for (int crashAt = 1; crashAt <= operations; crashAt++)
        {
            CrashMedium medium = new() { CrashAt = crashAt };
            Life life = new(seed);
            await Assert.ThrowsAsync<SimulatedCrashException>(() => Run(medium, life));
            Random random = new(seed * 100_003 + crashAt);
            CrashMedium after = medium.AfterCrash(random);
            if (random.Next(2) == 0)
                after = CrashWhileOpening(medium.AfterCrash(random, crashAt: random.Next(1, 8)), random);
            await CheckSurvivor(after, life, $"seed {seed}, crash at {crashAt}");
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    public async Task After_a_failed_manifest_sync_the_store_refuses_everything_and_what_reopening_finds_is_durable(
        int seed)
    {
        CrashMedium medium = new();
        StoreScript script = new(seed);
        SnapshotStore store = SnapshotStore.Open(medium, new StoreOptions());
        script.Commit(store, full: true);
        medium.Fail = (operation, name) => operation == "sync" && name == Manifest.FileName ? 5 : 0;
        ImageDraft draft = script.Write(store, full: true);
        Assert.Equal(
            SnapshotErrorCode.OutcomeUnknown,
            Assert.Throws<SnapshotException>(() => store.Commit(draft)).Code);
        medium.Fail = (_, _) => 0;
        Assert.Equal(
            SnapshotErrorCode.OutcomeUnknown,
            Assert.Throws<SnapshotException>(() => store.BeginImage(draft.Header)).Code);
        SnapshotException refused =
            await Assert.ThrowsAsync<SnapshotException>(() => store.PruneAsync(s_keepOne));
        Assert.Equal(SnapshotErrorCode.OutcomeUnknown, refused.Code);
        store.Dispose();

        // The page cache still shows the second generation; opening makes it durable before anyone relies on
        // it.
        long[] shown;
        using (SnapshotStore again = SnapshotStore.Open(medium, new StoreOptions()))
            shown = [.. again.Generations.Select(info => info.Generation)];
        Assert.Equal([1L, 2L], shown);
        using SnapshotStore after =
            SnapshotStore.Open(medium.AfterCrash(new Random(seed)), new StoreOptions());
        Assert.Equal(shown, after.Generations.Select(info => info.Generation));
        await script.AssertHolds(after);
    }

    [Theory]
    [InlineData("write")]
    [InlineData("sync")]
    [InlineData("sync directory")]
    public async Task A_failure_before_the_manifest_leaves_the_store_as_it_was(string failing)
    {
        const int NoSpace = 28;
        CrashMedium medium = new();
        StoreScript script = new(1);
        using SnapshotStore store = SnapshotStore.Open(medium, new StoreOptions());
        script.Commit(store, full: true);
        string[] before = [.. medium.Names.Order()];
        medium.Fail = (operation, name) => operation == failing && name != Manifest.FileName ? NoSpace : 0;
        SnapshotException error = Assert.Throws<SnapshotException>(() => WriteAndCommit(script, store));
        Assert.Equal(SnapshotErrorCode.StoreIo, error.Code);
        Assert.Equal(NoSpace, error.Errno);
        Assert.Contains("prune older generations", error.Message, StringComparison.Ordinal);
        medium.Fail = (_, _) => 0;
        Assert.Equal(before, medium.Names.Order());
        await script.AssertHolds(store);
        script.Commit(store, full: true);
        await script.AssertHolds(store);
    }

    [Fact]
    public async Task An_image_whose_commit_lacks_the_last_step_is_found_and_the_next_writer_makes_up_for_it()
    {
        CrashMedium medium = new();
        StoreScript script = new(1);
        using (SnapshotStore store = SnapshotStore.Open(medium, new StoreOptions()))
        {
            medium.Fail = (operation, _) => operation == "rename" ? 5 : 0;
            script.Commit(store, full: true);
            script.Commit(store, full: false);
            medium.Fail = (_, _) => 0;
            await script.AssertHolds(store);
            Assert.DoesNotContain(medium.Names, ImageFileName.IsImage);
        }

        using (SnapshotStore readOnly = SnapshotStore.OpenReadOnly(medium))
        {
            Assert.Empty(readOnly.Findings);
            await script.AssertHolds(readOnly);
        }

        using SnapshotStore again = SnapshotStore.Open(medium, new StoreOptions());
        Assert.Equal(["0000000001.snapshot",
            "0000000002.snapshot"], medium.Names.Where(ImageFileName.IsImage).Order());
        Assert.DoesNotContain(medium.Names, ImageFileName.IsPartial);
        Assert.Empty(again.Findings);
        await script.AssertHolds(again);
    }

    private static void WriteAndCommit(StoreScript script, SnapshotStore store)
    {
        try
        {
            store.Commit(script.Write(store, full: true));
        }
        finally
        {
            store.Abandon(script.LastDraft!);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task No_crash_while_images_are_merged_loses_or_changes_a_committed_generation(int seed)
    {
        int operations = Merge(new CrashMedium(), new Life(seed));
        Assert.InRange(operations, 60, 400);
        for (int crashAt = 1; crashAt <= operations; crashAt++)
        {
            CrashMedium medium = new() { CrashAt = crashAt };
            Life life = new(seed);
            Assert.Throws<SimulatedCrashException>(() => Merge(medium, life));
            Random random = new(seed * 100_003 + crashAt);
            await CheckSurvivor(medium.AfterCrash(random), life, $"seed {seed}, crash at {crashAt}");
        }
    }

    /// <summary>
    /// Full, four increments of which the three before the last are merged, one image that inherits the chain
    /// and needs no parent, an increment upon it.
    /// </summary>
    private static int Merge(CrashMedium medium, Life life)
    {
        using SnapshotStore store = SnapshotStore.Open(medium, new StoreOptions());
        life.Script.Commit(store, full: true);
        for (int increment = 0; increment < 4; increment++) life.Script.Commit(store, full: false);
        ManifestEntry fourth = store.Holdings.Entries[3];
        GenerationInfo merged = new ImageMerger(store).Merge(fourth, 3, null, CancellationToken.None);
        Assert.Equal(1, merged.Parent);
        life.KeptFrom = 4;
        Assert.Equal([2L,
            3L], store.Prune(new RetentionPolicy { KeepLast = 2 }, null).Select(info => info.Generation));
        Assert.Null(life.Script.CommitInheriting(store).Parent);
        life.Script.Commit(store, full: false);
        return medium.Operations;
    }

    /// <summary>
    /// Full, two increments, a compaction, an increment upon it, pruning, one more increment.
    /// </summary>
    private static async Task<int> Run(CrashMedium medium, Life life)
    {
        using SnapshotStore store = SnapshotStore.Open(medium, new StoreOptions());
        life.Script.Commit(store, full: true);
        life.Script.Commit(store, full: false);
        life.Script.Commit(store, full: false);
        await store.CompactAsync(2);
        life.Script.Commit(store, full: false);
        await store.CompactAsync(3);
        life.KeptFrom = 3;
        await store.PruneAsync(s_keepOne);
        life.Script.Commit(store, full: false);
        return medium.Operations;
    }

    private static CrashMedium CrashWhileOpening(CrashMedium medium, Random random)
    {
        try
        {
            SnapshotStore.Open(medium, new StoreOptions()).Dispose();
        }
        catch (SimulatedCrashException)
        {
        }

        return medium.AfterCrash(random);
    }

    private static async Task CheckSurvivor(CrashMedium medium, Life life, string where)
    {
        using SnapshotStore store = SnapshotStore.Open(medium, new StoreOptions());
        long[] found = [.. store.Generations.Select(info => info.Generation)];
        await life.Script.AssertHolds(store);

        long[] owed = [.. life.Script.Acknowledged.Where(generation => generation >= life.KeptFrom)];
        Assert.True(
            owed.All(found.Contains),
            $"{where}: of {string.Join(',', owed)} only {string.Join(',', found)} are left");
        Assert.True(
            medium.Names.Count(ImageFileName.IsImage) == found.Length &&
            !medium.Names.Any(ImageFileName.IsPartial),
            $"{where}: leftovers");
        life.Script.Commit(store, full: true);
        await life.Script.AssertHolds(store);
    }

    private sealed class Life(int seed)
    {
        internal StoreScript Script { get; } = new(seed);

        /// <summary>Older ones may have been pruned.</summary>
        internal long KeptFrom { get; set; }
    }
}
