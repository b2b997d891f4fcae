namespace Snapshot.Base;

/// <summary>
/// Calls those who only want to be told, each by itself: what one throws costs neither the thread that tells
/// it nor the others, and is told with the next generation.
/// </summary>
/// <remarks>Thread-safe.</remarks>
internal sealed class Subscribers
{
    /// <summary>So that a session that takes no checkpoints does not collect without end.</summary>
    internal const int KeptMax = 16;

    private readonly Lock _gate = new();
    private readonly List<Exception> _thrown = [];

    internal void Raise<T>(EventHandler<T>? subscribers, object sender, T told)
    {
        foreach (EventHandler<T> subscriber in Delegate.EnumerateInvocationList(subscribers))
            Call(() => subscriber(sender, told));
    }

    /// <summary>A callback that may be called where nothing may be thrown; null stays null.</summary>
    internal Action<T>? Guard<T>(Action<T>? callback) =>
        callback is null ? null : told => Call(() => callback(told));

    /// <summary>What was thrown since the last call, the oldest first.</summary>
    internal IReadOnlyList<Exception> Take()
    {
        lock (_gate)
        {
            Exception[] thrown = [.. _thrown];
            _thrown.Clear();
            return thrown;
        }
    }

    private void Call(Action call)
    {
        try
        {
            call();
        }
#pragma warning disable CA1031 // Who only watches ends nothing; it is told with the generation.
        catch (Exception error)
#pragma warning restore CA1031
        {
            lock (_gate)
            {
                if (_thrown.Count < KeptMax) _thrown.Add(error);
            }
        }
    }
}
