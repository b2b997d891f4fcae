using Snapshot.Base;

namespace Snapshot;

/// <summary>An open critical section: no checkpoint starts until it is disposed. Do not copy.</summary>
public ref struct CriticalSection
{
    private readonly NestedScope _scope;
    private Participant? _participant;

    internal CriticalSection(Participant participant, NestedScope scope)
    {
        _participant = participant;
        _scope = scope;
    }

    /// <summary>For code that leaves it by a call of its own; empty inside a handler.</summary>
    internal readonly NestedScope Scope => _scope;

    /// <summary>
    /// Leaves the critical section. Leaving the outermost one takes a pending checkpoint before it returns,
    /// also one that was asked for inside it. Harmless when repeated.
    /// </summary>
    /// <exception cref="InvalidOperationException">
    /// It is not the section or region that was entered last: one inside it is still open, or a copy of this
    /// has left it already. Nothing was changed.
    /// </exception>
    public void Dispose()
    {
        Participant? participant = _participant;
        _participant = null;
        participant?.ExitCritical(_scope);
    }
}
