using System.Runtime.InteropServices;
using Snapshot.Tests.Profiles;
using Snapshot.Tests.Session;
using Xunit;

namespace Snapshot.Tests.Restart;

/// <summary>Copy-on-write asked for where memory is still to come.</summary>
[Needs(Capability.PagesOnDemand, Capability.CopyOnWrite)]
public sealed class LazyCopyOnWriteTests
{
    [MachineTheory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_lazy_restart_is_pre_copied_until_it_is_filled_and_then_frozen(int seed)
    {
        using LazyStore store = new(seed, images: 4);
        byte[] expected = [.. store.Content];
        Random random = new(seed);
        using (SnapshotSession session = store.RestartOnDemand(CaptureMode.CopyOnWrite))
        {
            ArenaArray<long> cells = LazyStore.Cells(session);
            for (int round = 0; round < 3; round++)
            {
                Change(cells, expected, random);
                SnapshotInfo info = session.RequestCheckpoint().WaitCommittedInThread();
                Assert.Equal(CaptureMode.PreCopy, info.Capture.Mode);
                Assert.Contains(
                    "lazy restart is still filling", info.Capture.ModeReason, StringComparison.Ordinal);
                ExpectStored(session, info, cells, expected);
            }
        }

        await using SnapshotSession streaming = SnapshotSession.Restart(
            store.Path,
            new SnapshotOptions
            {
                Capture = CaptureMode.CopyOnWrite,
                Restart = new RestartOptions { Fill = RestartFill.Lazy },
            });
        ArenaArray<long> again = LazyStore.Cells(streaming);
        Change(again, expected, random);
        SnapshotInfo meanwhile = await streaming.CheckpointAsync();
        ExpectStored(streaming, meanwhile, again, expected);
        await streaming.Restarted!.Residency.Completed;
        for (int round = 0; round < 3; round++)
        {
            Change(again, expected, random);
            SnapshotInfo info = await streaming.CheckpointAsync();
            Assert.Equal(CaptureMode.CopyOnWrite, info.Capture.Mode);
            Assert.StartsWith("chosen by option", info.Capture.ModeReason, StringComparison.Ordinal);
            ExpectStored(streaming, info, again, expected);
        }

        Assert.Equal(expected, LazyStore.Copy(again));
    }

    private static void Change(ArenaArray<long> cells, byte[] expected, Random random)
    {
        for (int writes = 0; writes < 200; writes++)
        {
            int page = random.Next(LazyStore.PageCount);
            LazyStore.Write(LazyStore.Page(cells, page), random);
            MemoryMarshal.AsBytes(LazyStore.Page(cells, page)).CopyTo(
                expected.AsSpan(page * Snapshot.Base.Pages.Size, Snapshot.Base.Pages.Size));
        }
    }

    private static unsafe void ExpectStored(
        SnapshotSession session, SnapshotInfo info, ArenaArray<long> cells, byte[] expected)
    {
        byte[] image = StoredMemory.Read(session.Store, info.Generation, "a");
        int offset = (int)((nint)cells.Pointer - session.OpenArena("a").BaseAddress);
        int same = expected.AsSpan().CommonPrefixLength(image.AsSpan(offset, expected.Length));
        if (same != expected.Length) Assert.Fail($"generation {info.Generation}: byte {same} differs");
    }
}
