using Snapshot.Tests.Session;
using Xunit;

namespace Snapshot.Tests.Threads;

/// <summary>A store of two generations: the first has no threads, the second some that are forged.</summary>
internal static class ForgedThreads
{
    internal static SnapshotOptions KeepAll => Restarting(new RestartOptions());

    internal static SnapshotOptions Restarting(RestartOptions restart) => new()
    {
        Restart = restart,
        Store = new StoreOptions { Retention = new RetentionPolicy { KeepLast = 100 } },
    };

    /// <summary>A restart refuses generation 2, names its file, and gets past it.</summary>
    /// <param name="make">Makes the store at a path.</param>
    /// <param name="codes">What it may be refused as.</param>
    internal static void AssertPassedOver(Action<string> make, params SnapshotErrorCode[] codes)
    {
        using TemporaryStore store = new();
        make(store.Path);
        SnapshotException refusal = Assert.Throws<SnapshotException>(
            () => SnapshotSession.Restart(store.Path, KeepAll).Dispose());
        Assert.True(codes.Contains(refusal.Code), refusal.Message);
        Assert.EndsWith("0000000002.snapshot", refusal.Path, StringComparison.Ordinal);
        using SnapshotSession session = SnapshotSession.Restart(
            store.Path, Restarting(new RestartOptions { AllowOlderGeneration = true }));
        Assert.Equal(1, session.Restarted!.Generation);
    }

    /// <summary>A restart takes generation 2.</summary>
    internal static void AssertRestarted(Action<string> make)
    {
        using TemporaryStore store = new();
        make(store.Path);
        using SnapshotSession session = SnapshotSession.Restart(store.Path, KeepAll);
        Assert.Equal(2, session.Restarted!.Generation);
    }
}
