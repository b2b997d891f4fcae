using System.Runtime.InteropServices;
using Snapshot.Base;
using Snapshot.Tests.Profiles;
using Snapshot.Tests.Session;
using Xunit;

namespace Snapshot.Tests.Restart;

/// <summary>
/// Memory that the application gives up, or leaves out, while its content is still to come.
/// </summary>
[Needs(Capability.PagesOnDemand)]
public sealed class FreedWhileAwaitedTests : IDisposable
{
    private const int Bytes = 1 << 20;
    private const int Count = 12;

    private readonly TemporaryStore _store = new();

    private struct Parts
    {
        public long First;
        public long Count;
    }

    public void Dispose() => _store.Dispose();

    [MachineTheory]
    [InlineData(0)]
    [InlineData(2)]
    public async Task What_is_freed_before_it_came_is_zero_when_it_is_allocated_again_and_stays_so(
        int streaming)
    {
        await MakeAsync();
        await using (SnapshotSession session = Restart(streaming))
        {
            Arena arena = session.OpenArena("a");
            for (int part = 0; part < Count; part += 2) arena.Free(Part(arena, part));
            for (int part = 0; part < Count; part += 2)
                Assert.False(arena.Allocate<byte>(Bytes).AsSpan().ContainsAnyExcept((byte)0), $"part {part}");
            for (int part = 1; part < Count; part += 2) AssertHas(Part(arena, part), part);
            if (streaming > 0) await session.Restarted!.Residency.Completed;
            await session.CheckpointAsync();
        }

        await using SnapshotSession restarted = Restart(streaming);
        Arena again = restarted.OpenArena("a");
        for (int part = 0; part < Count; part++)
        {
            if (part % 2 == 0)
                Assert.False(Part(again, part).AsSpan().ContainsAnyExcept((byte)0), $"part {part}");
            else AssertHas(Part(again, part), part);
        }
    }

    [MachineFact]
    public async Task Threads_that_free_and_use_memory_while_it_streams_in_see_zeros_or_what_they_wrote()
    {
        await MakeAsync();
        await using SnapshotSession session = Restart(streaming: 2);
        Arena arena = session.OpenArena("a");
        LazyStore.Run(3, thread =>
        {
            for (int part = thread; part < Count; part += 3) arena.Free(Part(arena, part));
            for (int round = 0; round < 20; round++)
            {
                ArenaArray<byte> fresh = arena.Allocate<byte>(Bytes / 4);
                Assert.False(fresh.AsSpan().ContainsAnyExcept((byte)0), $"thread {thread}, round {round}");
                fresh.AsSpan().Fill((byte)(thread + 1));
                Assert.False(
                    fresh.AsSpan().ContainsAnyExcept((byte)(thread + 1)), $"thread {thread}, round {round}");
                arena.Free(fresh);
            }
        });
        await session.Restarted!.Residency.Completed;
        Assert.InRange(session.Restarted.Residency.BytesResident, 0, session.Restarted.Residency.BytesTotal);
    }

    [MachineFact]
    public async Task What_was_excluded_and_included_again_before_it_came_is_saved_as_it_is()
    {
        await MakeAsync();
        await using (SnapshotSession session = Restart(streaming: 0))
        {
            Arena arena = session.OpenArena("a");
            arena.Exclude(Part(arena, 1));
            arena.Exclude(Part(arena, 2));
            await session.CheckpointAsync();
            arena.Include(Part(arena, 1));
            await session.CheckpointAsync();
            AssertHas(Part(arena, 1), 1);
        }

        await using SnapshotSession restarted = SnapshotSession.Open(_store.Path);
        Arena again = restarted.OpenArena("a");
        AssertHas(Part(again, 1), 1);
        Assert.False(Part(again, 2).AsSpan().ContainsAnyExcept((byte)0));
        AssertHas(Part(again, 3), 3);
    }

    [MachineFact]
    public async Task An_arena_grows_beyond_what_is_still_to_come()
    {
        await MakeAsync();
        await using (SnapshotSession session = Restart(streaming: 0))
        {
            Arena arena = session.OpenArena("a");
            ArenaArray<long> large = arena.RootArray<long>("large", 4 << 20);
            Assert.False(large.AsSpan(0, (int)large.Length).ContainsAnyExcept(0));
            large.AsSpan(0, (int)large.Length).Fill(9);
            await session.CheckpointAsync();
        }

        await using SnapshotSession restarted = Restart(streaming: 2);
        Arena again = restarted.OpenArena("a");
        Assert.False(again.RootArray<long>("large", 4 << 20).AsSpan(0, 4 << 20).ContainsAnyExcept(9));
        for (int part = 0; part < Count; part++) AssertHas(Part(again, part), part);
    }

    private SnapshotSession Restart(int streaming) => SnapshotSession.Restart(
        _store.Path,
        new SnapshotOptions
        {
            Restart =
            new RestartOptions { Fill = RestartFill.Lazy, StreamingThreads = streaming }
        });

    private async Task MakeAsync()
    {
        await using SnapshotSession session = SnapshotSession.Open(_store.Path);
        Arena arena = session.OpenArena("a", new ArenaOptions { Capacity = 128L << 20 });
        arena.Root<Parts>("parts").Count = Count;
        ArenaArray<byte>[] parts = [.. Enumerable.Range(0, Count).Select(_ => arena.Allocate<byte>(Bytes))];
        arena.Root<Parts>("parts").First = Offset(arena, parts[0]);
        for (int part = 0; part < Count; part++)
        {
            Assert.Equal(arena.Root<Parts>("parts").First + (long)part * Bytes, Offset(arena, parts[part]));
            Random random = new(part);
            random.NextBytes(parts[part].AsSpan());
        }

        await session.CheckpointAsync();
    }

    private static unsafe long Offset(Arena arena, ArenaArray<byte> array) =>
        (nint)array.Pointer - arena.BaseAddress;

    private static unsafe ArenaArray<byte> Part(Arena arena, int part) => new(
        (byte*)arena.BaseAddress + arena.Root<Parts>("parts").First + (long)part * Bytes, Bytes);

    private static void AssertHas(ArenaArray<byte> array, int part)
    {
        byte[] expected = new byte[Bytes];
        new Random(part).NextBytes(expected);
        Assert.True(array.AsSpan().SequenceEqual(expected), $"part {part}");
    }
}
