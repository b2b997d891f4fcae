using Snapshot.Tests.Profiles;
using Xunit;
using Xunit.Abstractions;

namespace Snapshot.Tests.Session;

/// <summary>What a store takes on disk, at every write, beside the size of the state.</summary>
public sealed class DiskUseTests(ITestOutputHelper output) : IDisposable
{
    // 6 MiB: above what counts as a small store.
    private const int StatePages = 1536;

    private readonly TemporaryStore _store = new();

    public void Dispose() => _store.Dispose();

    [MachineTheory]
    [InlineData(CaptureMode.Stage, 1.0)]
    [InlineData(CaptureMode.CopyOnWrite, 1.0)]
    [InlineData(CaptureMode.Stage, 0.75)]
    [InlineData(CaptureMode.CopyOnWrite, 0.5)]
    [InlineData(CaptureMode.Stage, 0.3)]
    public async Task A_state_that_is_rewritten_again_and_again_takes_three_times_its_size_at_most(
        CaptureMode capture, double share)
    {
        using ChangingState state = new(_store.Path, new StoreOptions(), StatePages, seed: 1, capture);
        state.Commit();
        for (int checkpoint = 2; checkpoint <= (share < 1 ? 30 : 100); checkpoint++)
        {
            state.Rewrite(share);
            state.Commit();
        }

        output.WriteLine($"{share}: peak {(double)state.Peak / state.FullBytes:F3} of the state");
        Assert.InRange(state.Peak, 2 * state.FullBytes, 3 * state.FullBytes);
        await state.AssertHolds(atLeast: 2);
    }

    [MachineTheory]
    [InlineData(CaptureMode.Stage, 32)]
    [InlineData(CaptureMode.Stage, int.MaxValue)]
    [InlineData(CaptureMode.PreCopy, 32)]
    public async Task Where_little_changes_little_is_written(CaptureMode capture, int chainLengthMax)
    {
        StoreOptions options = new() { ChainLengthMax = chainLengthMax };
        using ChangingState state = new(_store.Path, options, StatePages, seed: 2, capture);
        state.Commit();
        long written = 0;
        int full = 0;
        for (int checkpoint = 2; checkpoint <= 100; checkpoint++)
        {
            state.Rewrite(0.01);
            SnapshotInfo info = state.Commit();
            if (info.Parent is null) full++;
            else written = Math.Max(written, info.BytesWritten);
        }

        output.WriteLine(
            $"peak {(double)state.Peak / state.FullBytes:F3}, {full} full, {written} bytes at most");
        Assert.InRange(state.Peak, state.FullBytes, 3 * state.FullBytes);
        Assert.InRange(full, 0, 2);
        Assert.InRange(written, 1, state.FullBytes / 50);
        await state.AssertHolds(atLeast: 2);
    }

    [Fact]
    public async Task An_image_without_a_parent_has_what_did_not_change_from_the_chain()
    {
        // No room for increments upon increments: every second image is full, and most of it is taken over.
        StoreOptions options =
            new() { Retention = new RetentionPolicy { KeepLast = 1 }, MaxStateMultiple = 2 };
        using ChangingState state = new(_store.Path, options, StatePages, seed: 3);
        state.Commit();
        List<long?> parents = [];
        for (int checkpoint = 2; checkpoint <= 7; checkpoint++)
        {
            state.Rewrite(0.2);
            parents.Add(state.Commit().Parent);
        }

        Assert.Contains(null, parents);
        Assert.InRange(state.Peak, state.FullBytes, 2 * state.FullBytes);
        await state.AssertHolds(atLeast: 1);
    }

    [Fact]
    public async Task A_quota_is_never_exceeded_and_says_what_would_help()
    {
        const long quota = 15L << 20;
        StoreOptions options = new() { MaxBytes = quota };
        using ChangingState state = new(_store.Path, options, StatePages, seed: 4);
        SnapshotException error = state.FillUp();
        output.WriteLine(error.Message);
        Assert.Contains("MaxBytes", error.Message, StringComparison.Ordinal);
        Assert.Contains("KeepLast = 1 would free", error.Message, StringComparison.Ordinal);
        await state.AssertHolds(atLeast: 2);
        await state.Store.PruneAsync(new RetentionPolicy { KeepLast = 1 });
        state.Commit();
        Assert.InRange(state.Peak, 1, quota);
        await state.AssertHolds(atLeast: 2);
    }
}
