using Snapshot.Tests.Session;

namespace Snapshot.Tests.Threads;

/// <summary>
/// A session with one arena, whose workers are threads of their own, and which can be restarted.
/// </summary>
internal sealed class FiberSession : IDisposable
{
    private static readonly TimeSpan s_hang = TimeSpan.FromSeconds(60);

    private readonly TemporaryStore _store = new();

    internal FiberSession() => Open();

    internal SnapshotSession Session { get; private set; } = null!;

    internal Arena Arena { get; private set; } = null!;

    internal unsafe ArenaPointer<T> Root<T>() where T : unmanaged => new(Arena.RootPointer<T>("state"));

    internal Task RunFibers(string name, Action start, CancellationToken cancellation = default) =>
        OnThread(() => Session.RunFibers(name, Arena, start, cancellation: cancellation));

    internal static Task OnThread(Action action) => Task.Factory.StartNew(
        action, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    internal SnapshotInfo Checkpoint() => Wait(Session.CheckpointAsync());

    /// <summary>
    /// Ends the session, whose participants have left, and restarts from the newest generation.
    /// </summary>
    internal void Restart()
    {
        Session.Dispose();
        Open();
    }

    internal static void Wait(Task task) => task.WaitAsync(s_hang).GetAwaiter().GetResult();

    internal static T Wait<T>(Task<T> task) => task.WaitAsync(s_hang).GetAwaiter().GetResult();

    public void Dispose()
    {
        Session.Dispose();
        _store.Dispose();
    }

    private void Open()
    {
        Session = SnapshotSession.Open(_store.Path);
        Arena = Session.OpenArena("state", new ArenaOptions { Capacity = 256 << 20 });
    }
}
