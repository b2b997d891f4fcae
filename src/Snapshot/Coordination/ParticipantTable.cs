namespace Snapshot.Coordination;

/// <summary>A participant as it stood when memory was captured.</summary>
internal readonly record struct CapturedParticipant(
    Participant Participant, HandlerEntry[] Handlers, ParticipantStatus Status, bool IsOmitted);

/// <summary>
/// Who is attached, by name. Bookkeeping beside the barrier: the word decides who is waited for. Thread-safe.
/// </summary>
/// <param name="rendezvous">Where the participants meet the attempt.</param>
/// <param name="died">
/// Called with the name of each participant whose thread ended without leaving. Any thread; must not throw.
/// </param>
internal sealed class ParticipantTable(Rendezvous rendezvous, Action<string> died)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Participant> _byName = [];

    /// <summary>
    /// Reused by every capture; always as long as there are participants, so that a capture allocates
    /// nothing.
    /// </summary>
    private CapturedParticipant[] _captured = new CapturedParticipant[16];
    private int _capturedCount;

    internal Rendezvous Rendezvous => rendezvous;

    /// <summary>The participants at the latest capture. Valid until the next one.</summary>
    internal ReadOnlySpan<CapturedParticipant> Captured => _captured.AsSpan(0, _capturedCount);

    internal void Add(Participant participant)
    {
        lock (_lock)
        {
            if (_byName.ContainsKey(participant.Name))
                throw new SnapshotException(
                    SnapshotErrorCode.NameTaken,
                    $"A participant named '{participant.Name}' is attached already; names are unique " +
                    "within a session.");
            if (_byName.Count == PhaseWord.CountMax)
                throw new SnapshotException(
                    SnapshotErrorCode.LimitReached,
                    $"A session has at most {PhaseWord.CountMax} participants at a time; dispose those " +
                    "that are done.");
            _byName.Add(participant.Name, participant);
            if (_captured.Length < _byName.Count) Array.Resize(ref _captured, 2 * _byName.Count);
        }
    }

    internal void Remove(Participant participant)
    {
        lock (_lock) _byName.Remove(participant.Name);
    }

    /// <summary>
    /// Removes participants whose threads ended without leaving, so that nobody waits for them.
    /// </summary>
    internal void RemoveDead()
    {
        while (TakeDead() is { } dead)
        {
            if (!dead.TryStopForGood()) continue;
            rendezvous.OpenAttempt?.NoteDead(dead.Name);
            died(dead.Name);
        }
    }

    internal Participant[] ToArray()
    {
        lock (_lock) return [.. _byName.Values];
    }

    /// <summary>
    /// Fills <see cref="Captured"/>; nobody runs, but blocked participants may leave and newcomers may be
    /// waiting.
    /// </summary>
    internal void Capture(OpenAttempt attempt)
    {
        lock (_lock)
        {
            _capturedCount = 0;
            foreach (Participant participant in _byName.Values)
            {
                ParticipantStatus status = participant.Status;
                if (status is ParticipantStatus.Joining or ParticipantStatus.Gone) continue;
                bool hasTakenPart = participant.LastAttempt == attempt;
                _captured[_capturedCount++] = new CapturedParticipant(
                    participant,
                    hasTakenPart ? participant.LastHandlers : participant.Handlers.Enabled,
                    status,
                    hasTakenPart && participant.IsOmitted);
            }
        }
    }

    /// <summary>Takes one participant out whose thread has ended.</summary>
    private Participant? TakeDead()
    {
        lock (_lock)
        {
            foreach (Participant participant in _byName.Values)
            {
                if (participant.IsThreadAlive) continue;
                _byName.Remove(participant.Name);
                return participant;
            }

            return null;
        }
    }
}
