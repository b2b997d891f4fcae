using Snapshot.Base;

namespace Snapshot.Coordination;

/// <summary>
/// After a restart: which handlers of the image have not been resumed yet. Each is resumed exactly once.
/// Thread-safe.
/// </summary>
internal sealed class RestartLedger
{
    private readonly object _gate = new();
    private readonly List<Key> _unclaimed = [];
    private readonly List<Key> _unresumed = [];

    /// <summary>
    /// What was unresumed at the latest capture; has room for all, so that a capture allocates nothing.
    /// </summary>
    private readonly List<Key> _captured = [];
    private bool _isFailed;

    private readonly record struct Key(string? Participant, string Handler)
    {
        public override string ToString() =>
            Participant is null
                ? $"async handler '{Handler}'" : $"handler '{Handler}' of participant '{Participant}'";
    }

    /// <summary>The generation that was restarted from.</summary>
    internal long Generation { get; private set; }

    internal void Expect(CoordinationState state)
    {
        lock (_gate)
        {
            Generation = state.Generation;
            _unclaimed.AddRange(state.Handlers.Select(handler => new Key(null, handler.Name)));
            foreach (ParticipantDescription participant in state.Participants)
                _unclaimed.AddRange(
                    participant.Handlers.Select(handler => new Key(participant.Name, handler)));
            _unresumed.AddRange(_unclaimed);
            _captured.EnsureCapacity(_unresumed.Count);
        }
    }

    /// <summary>
    /// True for the first who registers under a name of the image; that one must be resumed with Restarted.
    /// </summary>
    internal bool TryClaim(string? participant, string handler)
    {
        lock (_gate) return _unclaimed.Remove(new Key(participant, handler));
    }

    /// <summary>The claimed handler's resume part is done.</summary>
    internal void MarkResumed(string? participant, string handler)
    {
        lock (_gate)
        {
            _unresumed.Remove(new Key(participant, handler));
            if (_unresumed.Count == 0) Monitor.PulseAll(_gate);
        }
    }

    /// <summary>
    /// Memory is being captured: whoever is resumed later, before that image is written, is not resumed in
    /// it.
    /// </summary>
    internal void Capture()
    {
        lock (_gate)
        {
            _captured.Clear();
            _captured.AddRange(_unresumed);
        }
    }

    /// <summary>Nobody needs to wait any longer.</summary>
    internal void Fail()
    {
        lock (_gate)
        {
            _isFailed = true;
            Monitor.PulseAll(_gate);
        }
    }

    internal bool IsComplete
    {
        get
        {
            lock (_gate) return _unresumed.Count == 0;
        }
    }

    /// <summary>Waits until every handler of the image was resumed, or the restart failed.</summary>
    /// <returns>False when the time passed.</returns>
    internal bool AwaitComplete(TimeSpan timeout)
    {
        Deadline deadline = Deadline.After(timeout);
        lock (_gate)
        {
            while (_unresumed.Count > 0 && !_isFailed)
            {
                if (!Monitor.Wait(_gate, deadline.Remaining) && deadline.HasPassed) return false;
            }

            return true;
        }
    }

    internal string DescribeMissing()
    {
        lock (_gate) return string.Join(", ", _unresumed);
    }

    /// <summary>The async handlers that did not come back; they go into the next image again.</summary>
    /// <param name="atCapture">At the latest capture, or now.</param>
    internal IEnumerable<string> MissingHandlers(bool atCapture)
    {
        lock (_gate)
        {
            return [.. (atCapture ? _captured : _unresumed)
                .Where(key => key.Participant is null).Select(key => key.Handler)];
        }
    }

    /// <summary>
    /// The participants' handlers that did not come back, by participant; they go into the next image again.
    /// </summary>
    /// <param name="atCapture">At the latest capture, or now.</param>
    internal IEnumerable<IGrouping<string, string>> MissingParticipants(bool atCapture)
    {
        lock (_gate)
        {
            return [.. (atCapture ? _captured : _unresumed).Where(key => key.Participant is not null)
                .GroupBy(key => key.Participant!, key => key.Handler)];
        }
    }
}
