using System.Runtime.InteropServices;
using Snapshot.Base;
using Snapshot.TestPrograms;
using Snapshot.Tests.Profiles;
using Snapshot.Tests.Session;
using Xunit;

namespace Snapshot.Tests.Restart;

/// <summary>A restart that hands over before memory is there restores what an eager one does.</summary>
public sealed class LazyRestartTests
{
    private static readonly SnapshotOptions s_byContent = new()
    {
        Restart = new RestartOptions { Fill = RestartFill.Lazy },
        Tuning = new SnapshotTuning { Tracking = TrackingMechanism.ContentHash },
    };

    [MachineTheory]
    [Needs(Capability.PagesOnDemand)]
    [InlineData(1, 1, BlockEncoding.None)]
    [InlineData(2, 1, BlockEncoding.Auto)]
    [InlineData(3, 6, BlockEncoding.Auto)]
    [InlineData(4, 12, BlockEncoding.ShuffleLz4)]
    [InlineData(5, 4, BlockEncoding.Lz4)]
    public async Task What_streams_in_is_what_the_chain_holds(int seed, int images, BlockEncoding encoding)
    {
        using LazyStore store = new(seed, images, encoding);
        await using SnapshotSession session = SnapshotSession.Open(store.Path, LazyStore.Lazily);
        RestartInfo info = session.Restarted!;
        Assert.Equal(RestartFill.Lazy, info.Mode);
        Assert.InRange(await info.Residency.Completed, TimeSpan.Zero, TimeSpan.FromHours(1));
        Assert.Equal(info.BytesRestored, info.Residency.BytesResident);
        Assert.Equal(info.Residency.BytesTotal, info.Residency.BytesResident);
        Assert.Equal(store.Content, LazyStore.Copy(LazyStore.Cells(session)));
        Assert.Equal(
            StoredMemory.Read(session.Store, info.Generation, "a"), LazyStore.Memory(session.OpenArena("a")));
    }

    [MachineTheory]
    [Needs(Capability.PagesOnDemand)]
    [InlineData(1)]
    [InlineData(2)]
    public void What_is_touched_in_any_order_by_several_threads_is_what_the_chain_holds(int seed)
    {
        using LazyStore store = new(seed, images: 5);
        using SnapshotSession session = store.RestartOnDemand();
        ArenaArray<long> cells = LazyStore.Cells(session);
        LazyStore.Run(4, thread =>
        {
            int[] order = [.. Enumerable.Range(0, LazyStore.PageCount)];
            new Random(seed * 100 + thread).Shuffle(order);
            foreach (int page in order)
            {
                ReadOnlySpan<byte> found = MemoryMarshal.AsBytes(LazyStore.Page(cells, page));
                Assert.True(
                    found.SequenceEqual(store.ContentOf(page)), $"page {page}, thread {thread}, seed {seed}");
            }
        });
        Assert.True(session.Restarted!.Residency.FaultsServed > 0);
        Assert.False(session.Restarted.Residency.Completed.IsCompleted);
    }

    [MachineFact]
    [Needs(Capability.PagesOnDemand)]
    public void Threads_that_wait_for_one_page_all_go_on()
    {
        using LazyStore store = new(seed: 3, images: 2);
        using SnapshotSession session = store.RestartOnDemand();
        ArenaArray<long> cells = LazyStore.Cells(session);
        using Barrier barrier = new(8);
        LazyStore.Run(8, _ =>
        {
            for (int page = 0; page < LazyStore.PageCount; page += 61)
            {
                barrier.SignalAndWait();
                ReadOnlySpan<byte> found = MemoryMarshal.AsBytes(LazyStore.Page(cells, page));
                Assert.True(found.SequenceEqual(store.ContentOf(page)), $"page {page}");
            }
        });
    }

    [MachineFact]
    [Needs(Capability.PagesOnDemand)]
    public async Task Pages_arrive_unwritten_and_with_their_hashes()
    {
        using LazyStore store = new(seed: 4, images: 3);
        SnapshotOptions byPage =
            new() { Restart = new RestartOptions { Fill = RestartFill.Lazy }, Capture = CaptureMode.PreCopy };
        await using SnapshotSession session = SnapshotSession.Open(store.Path, byPage);
        ArenaArray<long> cells = LazyStore.Cells(session);
        for (int page = 0; page < LazyStore.PageCount; page += 10) Assert.Equal(cells[page], cells[page]);
        await session.Restarted!.Residency.Completed;
        SnapshotInfo nothing = await session.CheckpointAsync();
        Assert.Equal(0, nothing.PagesChanged);
        Assert.Equal(0, nothing.Capture.PagesTracked);

        // Rewritten with what it held: tracking sees it, and the hash says that nothing changed.
        int rewritten =
            Enumerable.Range(0, LazyStore.PageCount).First(page => LazyStore.Page(cells, page)[0] != 0);
        long value = LazyStore.Page(cells, rewritten)[0];
        LazyStore.Page(cells, rewritten)[0] = value + 1;
        LazyStore.Page(cells, rewritten)[0] = value;
        SnapshotInfo one = await session.CheckpointAsync();
        Assert.Equal((1, 0), (one.Capture.PagesTracked, one.PagesChanged));
    }

    [MachineTheory]
    [Needs(Capability.PagesOnDemand)]
    [InlineData(5, RestartFill.Eager)]
    [InlineData(6, RestartFill.Lazy)]
    public async Task A_checkpoint_during_the_fill_leaves_to_the_parent_what_has_not_come(
        int seed, RestartFill next)
    {
        using LazyStore store = new(seed, images: 3);
        byte[] expected = store.Content;
        Random random = new(seed);
        await using (SnapshotSession session = store.RestartOnDemand())
        {
            ArenaArray<long> cells = LazyStore.Cells(session);
            int[] written = [.. Enumerable.Range(0, 40).Select(_ => random.Next(LazyStore.PageCount))
                .Distinct()];
            foreach (int page in written)
            {
                LazyStore.Page(cells, page)[7] = page;
                BitConverter.TryWriteBytes(expected.AsSpan(page * Pages.Size + 7 * sizeof(long)), (long)page);
            }

            SnapshotInfo info = await session.CheckpointAsync();
            Assert.InRange(info.PagesChanged, written.Length - 1, written.Length + 4);
            Assert.True(session.Restarted!.Residency.BytesResident < session.Restarted.Residency.BytesTotal);
        }

        await using SnapshotSession restarted = SnapshotSession.Open(
            store.Path, new SnapshotOptions { Restart = new RestartOptions { Fill = next } });
        Assert.Equal(4, restarted.Restarted!.Generation);
        Assert.Equal(expected, LazyStore.Copy(LazyStore.Cells(restarted)));
    }

    [MachineTheory]
    [Needs(Capability.PagesOnDemand)]
    [InlineData(7)]
    [InlineData(8)]
    public async Task Writes_and_checkpoints_while_memory_streams_in_lose_nothing(int seed)
    {
        using LazyStore store = new(seed, images: 4);
        byte[] expected;
        await using (SnapshotSession session = SnapshotSession.Open(store.Path, LazyStore.Lazily))
        {
            ArenaArray<long> cells = LazyStore.Cells(session);
            LazyStore.Run(3, thread =>
            {
                using Participant me = session.Attach($"writer {thread}");
                Random random = new(seed * 100 + thread);
                for (int write = 0; write < 3000; write++)
                {
                    int page = random.Next(LazyStore.PageCount / 3) * 3 + thread;
                    LazyStore.Page(cells, page)[random.Next(LazyStore.LongsPerPage)]++;
                    me.Poll();
                    if (thread == 0 && write % 500 == 0)
                        session.RequestCheckpoint(new CheckpointOptions { WaitIfBusy = true });
                }
            });
            await session.CheckpointAsync(new CheckpointOptions { WaitIfBusy = true });
            await session.Restarted!.Residency.Completed;
            expected = LazyStore.Copy(cells);
        }

        await using SnapshotSession restarted = SnapshotSession.Open(store.Path);
        Assert.Equal(expected, LazyStore.Copy(LazyStore.Cells(restarted)));
    }

    [MachineFact]
    [Needs(Capability.PagesOnDemandInSystemCalls)]
    public void The_kernel_writes_into_pages_that_have_not_come()
    {
        using LazyStore store = new(seed: 9, images: 2);
        using SnapshotSession session = store.RestartOnDemand();
        Assert.True(session.Restarted!.WaitsInSystemCalls);
        ArenaArray<long> cells = LazyStore.Cells(session);
        byte[] expected = store.Content;
        using SystemCallWriter writer = new();
        byte[] content = [1, 2, 3, 4, 5];
        for (int page = 5; page < LazyStore.PageCount; page += 200)
        {
            writer.Write(content, MemoryMarshal.AsBytes(LazyStore.Page(cells, page))[100..]);
            content.CopyTo(expected, page * Pages.Size + 100);
        }

        Assert.InRange(session.RequestCheckpoint().WaitCommittedInThread().PagesChanged, 15, 20);
        Assert.Equal(expected, LazyStore.Copy(cells));
    }

    [MachineFact]
    [Needs(Capability.PagesOnDemand)]
    public async Task Collections_while_threads_wait_for_pages_do_not_hang()
    {
        using LazyStore store = new(seed: 10, images: 3);
        await using SnapshotSession session = SnapshotSession.Open(store.Path, LazyStore.Lazily);
        ArenaArray<long> cells = LazyStore.Cells(session);
        int read = 0;
        bool stop = false;

        // A collection begins whenever a page was read, while three threads wait for theirs. One after the
        // other without a pause they would leave those threads almost nothing: they are stopped as soon as
        // they go on.
        Thread collector = new(() =>
        {
            for (int seen = 0; !Volatile.Read(ref stop); seen = Volatile.Read(ref read))
            {
                GC.Collect();
                SpinWait.SpinUntil(() => Volatile.Read(ref stop) || Volatile.Read(ref read) != seen);
            }
        });
        collector.Start();
        LazyStore.Run(4, thread =>
        {
            for (int page = thread; page < LazyStore.PageCount; page += 4)
            {
                // Each kind of code that may fault: a loop, a copy, a comparison.
                byte[] copy = MemoryMarshal.AsBytes(LazyStore.Page(cells, page)).ToArray();
                Assert.True(store.ContentOf(page).SequenceEqual(copy), $"page {page}");
                Interlocked.Increment(ref read);
            }
        });
        Volatile.Write(ref stop, true);
        collector.Join();
        await session.Restarted!.Residency.Completed;
    }

    [Fact]
    public void A_lazy_restart_by_content_hash_is_refused()
    {
        using LazyStore store = new(seed: 11, images: 1);
        SnapshotException error = Assert.Throws<SnapshotException>(() => SnapshotSession.Open(
            store.Path, s_byContent));
        Assert.Equal(SnapshotErrorCode.Unsupported, error.Code);
        Assert.Contains("lazy restart", error.Message, StringComparison.Ordinal);
        using SnapshotSession eager = SnapshotSession.Restart(
            store.Path, LazyStore.Eagerly);
        Assert.Equal(RestartFill.Eager, eager.Restarted!.Mode);
        Assert.True(eager.Restarted.Residency.Completed.IsCompletedSuccessfully);
    }

    [MachineFact]
    [Needs(Capability.PagesOnDemand)]
    public async Task Protected_buffers_come_with_a_lazy_restart()
    {
        using TemporaryStore store = new();
        long[] data = GC.AllocateArray<long>(10_000, pinned: true);
        await using (SnapshotSession session = SnapshotSession.Open(store.Path))
        {
            session.OpenArena("a").Root<long>("number") = 5;
            session.Protect("data", data);
            for (int index = 0; index < data.Length; index++) data[index] = index + 1;
            await session.CheckpointAsync();
        }

        long[] fresh = GC.AllocateArray<long>(10_000, pinned: true);
        await using SnapshotSession restarted = SnapshotSession.Open(store.Path, LazyStore.Lazily);
        restarted.Protect("data", fresh);
        Assert.Equal(data, fresh);
        Assert.Equal(5, restarted.OpenArena("a").Root<long>("number"));
        await restarted.Restarted!.Residency.Completed;
        Assert.Equal(restarted.Restarted.BytesRestored, restarted.Restarted.Residency.BytesResident);
    }
}
