using System.Runtime.ExceptionServices;

namespace Snapshot.Base;

/// <summary>
/// Closes several things of which each is closed whatever becomes of the others; the first failure is thrown
/// at the end.
/// </summary>
internal ref struct Closing
{
    private ExceptionDispatchInfo? _first;

    /// <summary>Does one step; a failure waits for <see cref="End"/>.</summary>
    internal void Do(Action step)
    {
        try
        {
            step();
        }
#pragma warning disable CA1031 // It is thrown at the end.
        catch (Exception error)
#pragma warning restore CA1031
        {
            _first ??= ExceptionDispatchInfo.Capture(error);
        }
    }

    /// <summary>Disposes of what there is.</summary>
    internal void Dispose(IDisposable? thing)
    {
        if (thing is not null) Do(thing.Dispose);
    }

    /// <exception cref="Exception">What the first step that failed threw.</exception>
    internal readonly void End() => _first?.Throw();
}
