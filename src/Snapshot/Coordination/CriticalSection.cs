namespace Snapshot;

/// <summary>An open critical section: no checkpoint starts until it is disposed. Do not copy.</summary>
public ref struct CriticalSection
{
    private Participant? _participant;

    internal CriticalSection(Participant participant) => _participant = participant;

    /// <summary>
    /// Leaves the critical section. Leaving the outermost one takes a pending checkpoint before it returns. Harmless
    /// when repeated.
    /// </summary>
    public void Dispose()
    {
        Participant? participant = _participant;
        _participant = null;
        participant?.ExitCritical();
    }
}
