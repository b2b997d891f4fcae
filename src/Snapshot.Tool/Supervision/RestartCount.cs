namespace Snapshot.Tool.Supervision;

/// <summary>
/// How often the program is started again, and after which wait. Both are for a program that does not get on:
/// one that commits a generation each time may die for ever.
/// </summary>
/// <param name="most">Restarts in a row without a new generation.</param>
/// <param name="first">The first wait; each further one is twice as long.</param>
/// <param name="longest">
/// The longest wait, and how long an attempt must last for the next wait to be the first.
/// </param>
internal sealed class RestartCount(int most, TimeSpan first, TimeSpan longest)
{
    private readonly TimeSpan _first = first;
    private readonly TimeSpan _longest = first > longest ? first : longest;
    private TimeSpan _wait = first;

    /// <summary>Restarts since the latest new generation.</summary>
    internal int Used { get; private set; }

    /// <summary>Takes note of an attempt that died.</summary>
    /// <param name="lasted">How long it ran.</param>
    /// <param name="hasProgressed">Whether it committed a generation.</param>
    /// <returns>How long to wait before the next, or null if there is none.</returns>
    internal TimeSpan? Next(TimeSpan lasted, bool hasProgressed)
    {
        if (hasProgressed) Used = 0;
        if (hasProgressed || lasted > _longest) _wait = _first;
        if (Used == most) return null;
        Used++;
        TimeSpan wait = _wait;
        _wait = wait * 2 > _longest ? _longest : wait * 2;
        return wait;
    }
}
