using System.Diagnostics;
using Snapshot.Mpi.Calls;

namespace Snapshot.Mpi.Protocol;

/// <summary>
/// The reductions by which ranks agree while they compute: begun at one poll, read a number of polls later,
/// on all ranks at the same one.
/// </summary>
/// <remarks>
/// The number of polls is chosen so that about ten reductions are made a second, and is agreed upon like the
/// rest. A poll in between counts down and does nothing else.
/// </remarks>
internal sealed class Agreement(RankGroup ranks)
{
    private const int PeriodMax = 1 << 20;
    private static readonly long s_aim = Stopwatch.Frequency / 10;

    // MPI reads and writes these between a poll and the next reduction: pinned.
    private readonly long[] _said = GC.AllocateArray<long>(AgreedWords.Count, pinned: true);
    private readonly long[] _agreed = GC.AllocateArray<long>(AgreedWords.Count, pinned: true);
    private int _request = -1;
    private long _begun;
    private int _period = 1;
    private int _left = 1;

    /// <summary>Counts a poll; true when what was begun is to be read at this one.</summary>
    internal bool IsDue() => --_left <= 0;

    /// <summary>What all ranks said; waits for the last of them. Empty before the first reduction.</summary>
    internal ReadOnlySpan<long> Read()
    {
        if (_request < 0) return [];
        ranks.Wait(_request);
        _request = -1;
        return _agreed;
    }

    /// <summary>Begins the next reduction.</summary>
    /// <param name="step">Where the rank is.</param>
    /// <param name="say">Fills in the rank's other words, which are 0.</param>
    internal void Begin(long step, Action<long[]> say)
    {
        // What was agreed for this reduction is what counts until it is read, on all ranks.
        int period = (int)Math.Max(1, _agreed[AgreedWords.Period]);
        Array.Clear(_said);
        _said[AgreedWords.Step] = step;
        _said[AgreedWords.MinusStep] = -step;
        _said[AgreedWords.Period] = Wanted();
        say(_said);
        _request = ranks.StartMax(_said, _agreed);
        _period = _left = period;
        _begun = Stopwatch.GetTimestamp();
    }

    /// <summary>
    /// As many polls as fit into the aim, but no more than twice as many as before: the next may take longer.
    /// </summary>
    private long Wanted()
    {
        if (_begun == 0) return 1;
        long took = Math.Max(1, Stopwatch.GetTimestamp() - _begun);
        return Math.Clamp((long)(_period * ((double)s_aim / took)), 1, Math.Min(2L * _period, PeriodMax));
    }
}
