using System.Runtime.InteropServices;
using Snapshot.Base;
using Snapshot.Tests.Profiles;
using Xunit;

namespace Snapshot.Tests.Restart;

/// <summary>A session that ends while memory is still to come.</summary>
[Needs(Capability.PagesOnDemand)]
public sealed class LazyEndTests
{
    private static readonly SnapshotOptions s_byContent = new()
    {
        Restart = new RestartOptions { Fill = RestartFill.Lazy },
        Tuning = new SnapshotTuning { Tracking = TrackingMechanism.ContentHash },
    };

    [MachineFact]
    public async Task A_session_closed_during_the_fill_leaves_nothing_behind()
    {
        using LazyStore store = new(seed: 31, images: 4);
        await OpenAndClose(store);
        int descriptors = Directory.GetFiles("/proc/self/fd").Length;
        int threads = Directory.GetDirectories("/proc/self/task").Length;
        const int Rounds = 30;
        for (int round = 0; round < Rounds; round++) await OpenAndClose(store);

        // The runtime has descriptors and threads of its own; one left by each round would show.
        Assert.InRange(Directory.GetFiles("/proc/self/fd").Length - descriptors, int.MinValue, Rounds / 2);
        Assert.InRange(
            Directory.GetDirectories("/proc/self/task").Length - threads, int.MinValue, Rounds / 2);
        Assert.DoesNotContain(
            "snapshot:a", await File.ReadAllTextAsync("/proc/self/maps"), StringComparison.Ordinal);

        static async Task OpenAndClose(LazyStore store)
        {
            SnapshotSession session = SnapshotSession.Open(store.Path, LazyStore.Lazily);
            RestartResidency residency = session.Restarted!.Residency;
            await session.DisposeAsync();
            Assert.True(residency.Completed.IsCompleted);
            Assert.InRange(residency.BytesResident, 0, residency.BytesTotal);
        }
    }

    [MachineTheory]
    [InlineData(0)]
    [InlineData(2)]
    public void Participants_still_attached_when_the_session_is_closed_go_on_to_find_their_memory(
        int streaming)
    {
        // The arena stays mapped until the process ends; a restart in this process would find its address
        // taken.
        using LazyStore store = new(seed: 32, images: 2);
        using Session.TestProgram program = new("lazy-closed", store.Path, $"{streaming}");
        (int exitCode, string output, string error) = program.WaitForEnd();
        Assert.True(exitCode == 0, error);
        Assert.Equal($"sum {Sum(store)}\n", output);
    }

    [MachineFact]
    public void A_process_killed_during_the_fill_leaves_a_store_to_restart_from()
    {
        using LazyStore store = new(seed: 35, images: 3);
        for (int kill = 0; kill < 3; kill++)
        {
            using Session.TestProgram program = new("lazy-touch", store.Path);
            program.ReadUntil("touching");
        }

        using SnapshotSession session = SnapshotSession.Open(store.Path, LazyStore.Lazily);
        Assert.Equal(3, session.Restarted!.Generation);
        Assert.Equal(store.Content, LazyStore.Copy(LazyStore.Cells(session)));
    }

    [MachineFact]
    public void A_restart_that_fails_while_it_is_opened_leaves_nothing_mapped()
    {
        using LazyStore store = new(seed: 33, images: 2);
        Assert.Throws<SnapshotException>(() => SnapshotSession.Open(
            store.Path, s_byContent));
        Assert.DoesNotContain("snapshot:a", File.ReadAllText("/proc/self/maps"), StringComparison.Ordinal);
        using SnapshotSession session = SnapshotSession.Open(store.Path, LazyStore.Lazily);
        Assert.Equal(store.Content, LazyStore.Copy(LazyStore.Cells(session)));
    }

    [MachineFact]
    public async Task Images_deleted_by_compaction_while_they_are_read_still_restore()
    {
        using LazyStore store = new(seed: 34, images: 5);
        await using SnapshotSession session = store.RestartOnDemand();
        ArenaArray<long> cells = LazyStore.Cells(session);
        LazyStore.Page(cells, 0)[0]++;
        await session.CheckpointAsync();
        await session.Store.CompactAsync(session.Store.Newest!.Generation);
        await session.Store.PruneAsync(new RetentionPolicy { KeepLast = 1 });
        Assert.Single(session.Store.Generations);
        Assert.Single(Directory.GetFiles(store.Path, "*.snapshot"));
        for (int page = 1; page < LazyStore.PageCount; page++)
        {
            ReadOnlySpan<byte> found = MemoryMarshal.AsBytes(LazyStore.Page(cells, page));
            Assert.True(found.SequenceEqual(store.ContentOf(page)), $"page {page}");
        }
    }

    private static long Sum(LazyStore store)
    {
        long sum = 0;
        foreach (long value in MemoryMarshal.Cast<byte, long>(store.Content.AsSpan()))
            sum = unchecked(sum + value);
        return sum;
    }
}
