namespace Snapshot;

/// <summary>
/// An open blocked region: the participant counts as stopped and must not touch arenas until it is disposed. Do not
/// copy.
/// </summary>
public ref struct BlockedRegion
{
    private Participant? _participant;

    internal BlockedRegion(Participant participant) => _participant = participant;

    /// <summary>
    /// Leaves the region; waits while memory is being captured, and takes part in a checkpoint that stops participants
    /// now.
    /// </summary>
    public void Dispose()
    {
        Participant? participant = _participant;
        _participant = null;
        participant?.ExitBlocked();
    }
}
