namespace Snapshot.Tracking;

/// <summary>
/// The order in which the drain reads spans: as given, but those last that a write has had copied meanwhile,
/// for nothing can happen to them any more. While the memory for copies is short, copied ones come first,
/// from wherever they are: reading one returns the memory of its copy.
/// </summary>
/// <param name="spans">Each span once, in the order in which writes are expected.</param>
/// <param name="isCopied">
/// Whether a span has been copied. Asked anew each time, since others copy meanwhile.
/// </param>
/// <param name="isShort">Whether the memory for copies is short.</param>
internal sealed class DrainOrder(IReadOnlyList<long> spans, Func<long, bool> isCopied, Func<bool> isShort)
{
    private readonly bool[] _taken = new bool[spans.Count];

    // Where to look for the next copied span: going round, so that few looks are made again.
    private int _look;

    /// <summary>Each span once. To be called once.</summary>
    internal IEnumerable<long> Take()
    {
        for (int at = 0; at < spans.Count; at++)
        {
            while (isShort() && NextCopied() is { } next) yield return TakeAt(next);
            if (!_taken[at] && !isCopied(spans[at])) yield return TakeAt(at);
        }

        for (int at = 0; at < spans.Count; at++)
        {
            if (!_taken[at]) yield return TakeAt(at);
        }
    }

    private int? NextCopied()
    {
        for (int looked = 0; looked < spans.Count; looked++)
        {
            int at = _look;
            _look = (_look + 1) % spans.Count;
            if (!_taken[at] && isCopied(spans[at])) return at;
        }

        return null;
    }

    private long TakeAt(int at)
    {
        _taken[at] = true;
        return spans[at];
    }
}
