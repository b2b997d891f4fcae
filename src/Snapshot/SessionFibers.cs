using Snapshot.Threads.Fibers;

namespace Snapshot;

/// <summary>The fibers of a session, by arena. Thread-safe.</summary>
/// <param name="restartedGeneration">What the session was restarted from; 0 when it was not.</param>
/// <param name="arenas">All arenas of the session.</param>
internal sealed class SessionFibers(long restartedGeneration, Func<IReadOnlyList<Arena>> arenas)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<Arena, FiberSpace> _spaces = [];

    /// <summary>Called when there are fibers, at once if there are already. To be set once.</summary>
    internal Action? Used
    {
        private get;
        set
        {
            lock (_gate)
            {
                field = value;
                if (_spaces.Count > 0) value?.Invoke();
            }
        }
    }

    /// <summary>
    /// The fibers of an arena; those that an image has are checked when this is first asked.
    /// </summary>
    /// <exception cref="SnapshotException">FiberMismatch.</exception>
    internal FiberSpace Of(Arena arena)
    {
        lock (_gate)
        {
            if (_spaces.TryGetValue(arena, out FiberSpace? space)) return space;
            _spaces.Add(arena, space = new FiberSpace(arena, restartedGeneration, FreeNumber()));
            Used?.Invoke();
            return space;
        }
    }

    private int FreeNumber()
    {
        int?[] taken = [.. arenas().Select(FiberSpace.NumberOf)];
        for (int number = 0; number < FiberSpace.MaxSpaces; number++)
        {
            if (!taken.Contains(number)) return number;
        }

        throw new InvalidOperationException(
            $"A session has fibers in {FiberSpace.MaxSpaces} arenas at most.");
    }
}
