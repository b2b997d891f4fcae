namespace Snapshot;

/// <summary>An open critical section: no checkpoint starts until it is disposed. Do not copy.</summary>
public ref struct CriticalSection
{
    private Participant? _participant;

    internal CriticalSection(Participant participant) => _participant = participant;

    /// <summary>
    /// Leaves the critical section. Leaving the outermost one takes a pending checkpoint before it returns. Harmless when repeated.
    /// </summary>
    public void Dispose()
    {
        Participant? participant = _participant;
        _participant = null;
        participant?.ExitCritical();
    }
}

/// <summary>An open blocked region: the participant counts as stopped and must not touch arenas until it is disposed. Do not copy.</summary>
public ref struct BlockedRegion
{
    private Participant? _participant;

    internal BlockedRegion(Participant participant) => _participant = participant;

    /// <summary>Leaves the region; waits while memory is being captured, and takes part in a checkpoint that stops participants now.</summary>
    public void Dispose()
    {
        Participant? participant = _participant;
        _participant = null;
        participant?.ExitBlocked();
    }
}
