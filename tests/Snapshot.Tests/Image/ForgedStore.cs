using Snapshot.Fuzz.Forging;
using Snapshot.Tests.Session;
using Xunit;

namespace Snapshot.Tests.Image;

/// <summary>
/// A real store with an intact generation 1 and a forged generation 2: right checksums, listed in the
/// manifest.
/// </summary>
internal sealed unsafe class ForgedStore : IDisposable
{
    internal const int BufferBytes = 10_000;
    internal const long Answer = 42;

    private readonly TemporaryStore _store = new();

    internal ForgedStore(Action<ImageParts> forge)
    {
        SnapshotOptions options = new() { Encoding = BlockEncoding.None, Store = KeepAll };
        using (SnapshotSession session = SnapshotSession.Open(_store.Path, options))
        {
            Arena arena = session.OpenArena("a", new ArenaOptions { Capacity = 64 << 20 });
            arena.Root<long>("answer") = Answer;
            for (int size = 16; size < 100_000; size *= 2) arena.Allocate(size);
            session.OpenArena("b", new ArenaOptions { Capacity = 64 << 20 }).Root<long>("other") = 1;
            session.Protect("buffer", Buffer());
            session.RequestCheckpoint().WaitCommittedInThread();
        }

        Assert.Equal(2, StoreForger.AddForged(_store.Path, forge));
    }

    internal string File => System.IO.Path.Combine(_store.Path, "0000000002.snapshot");

    internal SnapshotStore OpenReadOnly() => SnapshotStore.OpenReadOnly(_store.Path);

    internal SnapshotSession Restart(bool allowOlder, RestartFill fill = RestartFill.Eager) =>
        SnapshotSession.Restart(
            _store.Path, new SnapshotOptions
            {
                Store = KeepAll,
                Restart = new RestartOptions { AllowOlderGeneration = allowOlder, Fill = fill },
            });

    /// <summary>
    /// A restart is refused because of damage, gets past it when it may, and the session goes on.
    /// </summary>
    internal void AssertRestartGetsPast(RestartFill fill = RestartFill.Eager)
    {
        SnapshotException refusal =
            Assert.Throws<SnapshotException>(() => Restart(allowOlder: false, fill).Dispose());
        AssertIsDamageOf(File, refusal);
        using SnapshotSession session = Restart(allowOlder: true, fill);
        Assert.Equal(1, session.Restarted!.Generation);
        AssertIsDamageOf(File, Assert.Single(session.Restarted.Skipped).Reason);
        Assert.Equal(Answer, session.OpenArena("a").Root<long>("answer"));
        byte[] buffer = GC.AllocateArray<byte>(BufferBytes, pinned: true);
        session.Protect("buffer", buffer);
        Assert.Equal(Buffer(), buffer);
        Assert.Equal(3, session.RequestCheckpoint().WaitCommittedInThread().Generation);
    }

    internal static void AssertIsDamageOf(string file, SnapshotException error)
    {
        Assert.True(
            error.Code is SnapshotErrorCode.Corrupt or SnapshotErrorCode.UnsupportedFormat, error.ToString());
        Assert.Equal(file, error.Path);
        Assert.Contains(file, error.Message, StringComparison.Ordinal);
    }

    public void Dispose() => _store.Dispose();

    private static StoreOptions KeepAll => new() { Retention = new RetentionPolicy { KeepLast = 100 } };

    private static byte[] Buffer()
    {
        byte[] buffer = GC.AllocateArray<byte>(BufferBytes, pinned: true);
        new Random(7).NextBytes(buffer);
        return buffer;
    }
}
