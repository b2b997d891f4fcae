using System.Runtime.InteropServices;
using Snapshot.Base;
using Snapshot.Checkpoint;
using Snapshot.Memory;
using Snapshot.TestPrograms;
using Snapshot.Tests.Profiles;
using Snapshot.Tracking;
using Xunit;

namespace Snapshot.Tests.Session;

/// <summary>
/// Protected memory beside threads that write, allocate and protect, and beside the store's work.
/// </summary>
public sealed unsafe class ForeignMemoryBesideTests : IDisposable
{
    private const int FewWords = 300_000;
    private const int ManyWords = 2_500_000; // of which most are in huge pages

    private static readonly TimeSpan s_time = TimeSpan.FromSeconds(4), s_timeOfMany = TimeSpan.FromSeconds(2);

    private readonly TemporaryStore _store = new();
    private int _words = FewWords;
    private bool _forgets;

    public void Dispose() => _store.Dispose();

    [MachineTheory]
    [InlineData(TrackingMechanism.Auto, FewWords, false)]
    [InlineData(TrackingMechanism.ContentHash, FewWords, false)]
    [InlineData(TrackingMechanism.Auto, ManyWords, false)]
    [InlineData(TrackingMechanism.Auto, ManyWords, true)]
    public void What_a_participant_writes_between_two_polls_is_in_an_image_as_a_whole(
        TrackingMechanism tracking, int words, bool forgets)
    {
        (_words, _forgets) = (words, forgets);
        long bytes = (long)words * sizeof(long);
        SnapshotOptions options = new()
        {
            Tuning = new SnapshotTuning { Tracking = tracking },
            Store = new StoreOptions
            { ChainLengthMax = 3, Retention = new RetentionPolicy { KeepLast = 2 } },
        };
        byte* mapped = LibC.Map(bytes + 16);
        LibC.AskForHugePages(mapped, bytes + 16);
        long* memory = (long*)(mapped + 16);
        try
        {
            using (SnapshotSession session = SnapshotSession.Open(_store.Path, options))
                RunAll(session, memory);
            new Span<long>(memory, words).Clear();
            using SnapshotSession restarted = SnapshotSession.Open(_store.Path, options);
            foreach (string name in Names(restarted))
            {
                if (name == "steady") restarted.Protect(name, memory, bytes);
                else Assert.True(restarted.DropRestoredBuffer(name));
            }

            AssertWhole(new Span<long>(memory, words));
            Assert.True(memory[0] > 0);
        }
        finally
        {
            LibC.Unmap(mapped, bytes + 16);
        }
    }

    /// <summary>Unprotected in a pause: it waits for its end, and then the memory may go.</summary>
    [Fact]
    public void Memory_is_read_to_the_end_of_a_pause_and_not_beyond()
    {
        using TrackerFactory trackers = new(MachineCapabilities.Current, TrackingMechanism.Auto);
        using MemoryCapture capture = new(new StagingArea(64 << 20), trackers, () => false, parent: null);
        const long bytes = 64 * Pages.Size;
        byte* at = LibC.Map(bytes);
        new Span<byte>(at, (int)bytes).Fill(1);
        using ProtectedBuffer buffer = ProtectedBuffer.Of("memory", at, bytes);
        PageHashes hashes = new(buffer.CapacityPages);
        capture.AddBuffer(1, buffer, hashes, parentPages: 0, mayWatch: true);
        capture.Choose(default);
        capture.Prepare(default);
        capture.Collect();
        Thread removing = new(() =>
        {
            capture.RemoveBuffer(buffer);
            LibC.Unmap(at, bytes);
        });
        removing.Start();
        Assert.False(removing.Join(TimeSpan.FromMilliseconds(100)));
        capture.Hold();
        Assert.True(removing.Join(TimeSpan.FromSeconds(30)));
        Assert.Equal(64, capture.TrackedPages);
        capture.GiveBack();
        capture.Choose(default);
        Assert.Empty(capture.Captured);
    }

    private void RunAll(SnapshotSession session, long* memory)
    {
        Arena arena = session.OpenArena("arena", new ArenaOptions { Capacity = 1L << 30 });
        session.Protect("steady", memory, (long)_words * sizeof(long));
        using CancellationTokenSource ending = new(_words == FewWords ? s_time : s_timeOfMany);
        Exception? failure = null;
        Thread[] threads =
        [
            new(() => Guard("writer", () => Write(memory))), new(() => Guard("changer", () => Change(session))),
            new(() => Guard("grower", () => Grow(arena))),
        ];
        foreach (Thread thread in threads) thread.Start();
        long seen = 0;
        int taken = 0;
        while (!ending.IsCancellationRequested || taken < 2)
        {
            if (Take(session) is not { } info) continue;
            taken++;
            byte[] stored = StoredMemory.Read(session.Store, info.Generation, "steady");
            ReadOnlySpan<long> words = MemoryMarshal.Cast<byte, long>(stored);
            AssertWhole(words);
            Assert.True(words[0] >= seen);
            seen = words[0];
        }

        foreach (Thread thread in threads) thread.Join();
        if (failure is not null) throw failure;
        Assert.True(session.Store.Newest!.Generation > (_words == FewWords ? 3 : 1));

        void Guard(string name, Action work)
        {
            try
            {
                using Participant me = session.Attach(name);
                while (!ending.IsCancellationRequested)
                {
                    me.Poll();
                    work();
                }
            }
            catch (Exception error)
            {
                failure = error;
            }
        }
    }

    /// <summary>Null where memory went while it was drained.</summary>
    private SnapshotInfo? Take(SnapshotSession session)
    {
        try
        {
            return session.RequestCheckpoint().WaitCommittedInThread();
        }
        catch (SnapshotException error) when (_forgets && error.Code == SnapshotErrorCode.MemoryGone)
        {
            Assert.Contains("'passing'", error.Message, StringComparison.Ordinal);
            return null;
        }
    }

    /// <summary>Scattered first, so that a part of it in an image would show.</summary>
    private void Write(long* memory)
    {
        long step = memory[0] + 1;
        for (int stride = 0; stride < 512; stride++)
        {
            for (int word = stride; word < _words; word += 512) memory[word] = step;
        }
    }

    /// <summary>Memory that comes and goes: without a word, where that is tried.</summary>
    private void Change(SnapshotSession session)
    {
        long bytes = _words == FewWords ? Random.Shared.Next(1, 2_000_000) : 9 << 20;
        byte* at = LibC.MapApart(bytes);
        LibC.AskForHugePages(at, bytes);
        new Span<byte>(at, (int)bytes).Fill((byte)bytes);
        session.Protect("passing", at, bytes);
        Thread.Sleep(Random.Shared.Next(3));
        bool forgets = _forgets && Random.Shared.Next(2) == 0;
        if (forgets) LibC.Unmap(at, bytes);
        Assert.True(session.Unprotect("passing"));
        if (!forgets) LibC.Unmap(at, bytes);
    }

    private static void Grow(Arena arena)
    {
        ArenaArray<byte> array = arena.Allocate<byte>(Random.Shared.Next(1, 4 << 20));
        array.AsSpan().Fill(7);
        arena.Free(array);
    }

    private static void AssertWhole(ReadOnlySpan<long> words) =>
        Assert.Equal(-1, words.IndexOfAnyExcept(words[0]));

    private static string[] Names(SnapshotSession session) =>
    [
        .. session.Store.Describe(session.Restarted!.Generation).Regions
            .Where(region => region.Region.Kind == RegionKind.Buffer).Select(region => region.Region.Name),
    ];
}
