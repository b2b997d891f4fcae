namespace Snapshot.Coordination;

/// <summary>
/// Orders what handlers are told of commits: whoever was told of a generation is not told of an older one
/// afterwards. Thread-safe.
/// </summary>
internal sealed class CommitLine
{
    private readonly Lock _gate = new();
    private long _youngest;
    private bool _isClosed;

    /// <param name="generation">What is told.</param>
    /// <param name="isLate">
    /// Whether a younger one may have been told before, or all be over: then nothing is told.
    /// </param>
    /// <param name="tell">Hands it to those who tell it; does not wait for them.</param>
    internal void Tell(long generation, bool isLate, Action tell)
    {
        lock (_gate)
        {
            if (isLate && (_isClosed || generation < _youngest)) return;
            _youngest = Math.Max(_youngest, generation);
            tell();
        }
    }

    /// <summary>Nothing is told late any more.</summary>
    internal void Close()
    {
        lock (_gate) _isClosed = true;
    }
}
