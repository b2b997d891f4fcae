namespace Snapshot.Bench;

/// <summary>A generation of a simulated job. Number 0 is none: the beginning.</summary>
/// <param name="Number">Later ones have higher numbers, also after a rollback.</param>
/// <param name="Work">How far the job was when it was captured.</param>
internal readonly record struct SimulatedGeneration(long Number, double Work);

/// <summary>Where a restart takes its generation from.</summary>
internal enum RestartSource
{
    Own,
    Partner,
    Shared,
    Beginning,
}

/// <summary>
/// The copies of generations on one level: one is made at a time; of those published meanwhile the newest is
/// next.
/// </summary>
internal sealed class SimulatedCopies
{
    private SimulatedGeneration _copied;
    private (SimulatedGeneration Generation, double Seconds, double Least)? _waiting;

    /// <summary>The newest that the level has whole.</summary>
    internal SimulatedGeneration Complete { get; private set; }

    /// <summary>When the copy under way is complete.</summary>
    internal double DoneAt { get; private set; } = double.PositiveInfinity;

    /// <param name="generation">To copy.</param>
    /// <param name="now">The time.</param>
    /// <param name="seconds">What the copy takes.</param>
    /// <param name="least">When it is complete at the earliest.</param>
    internal void Add(SimulatedGeneration generation, double now, double seconds, double least = 0)
    {
        if (double.IsFinite(DoneAt)) _waiting = (generation, seconds, least);
        else (_copied, DoneAt) = (generation, Math.Max(now + seconds, least));
    }

    internal void Finish(double now)
    {
        Complete = _copied;
        DoneAt = double.PositiveInfinity;
        if (_waiting is not { } next) return;
        _waiting = null;
        Add(next.Generation, now, next.Seconds, next.Least);
    }

    /// <summary>What is under way is lost with the ranks that make it.</summary>
    internal void Abort()
    {
        DoneAt = double.PositiveInfinity;
        _waiting = null;
    }

    /// <summary>What it has counts no more.</summary>
    internal void Forget() => Complete = default;
}
