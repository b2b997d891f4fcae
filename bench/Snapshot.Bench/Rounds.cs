namespace Snapshot.Bench;

/// <summary>
/// Tells threads that take part when the next round of their work begins, and when there is none.
/// </summary>
internal sealed class Rounds
{
    private int _begun;
    private volatile bool _stop;

    /// <summary>All waiting threads begin their next round.</summary>
    internal void BeginNext() => Interlocked.Increment(ref _begun);

    /// <summary>Whoever waits ends.</summary>
    internal void Stop() => _stop = true;

    /// <summary>Waits until a round begins, polling; false: there is none.</summary>
    /// <remarks>
    /// More threads than processors: one that has nothing to do lets another run, as it would in a program.
    /// </remarks>
    internal bool Await(int round, Participant me)
    {
        while (Volatile.Read(ref _begun) < round)
        {
            if (_stop) return false;
            me.Poll();
            Thread.Yield();
        }

        return true;
    }
}
