using Snapshot.Base;

namespace Snapshot;

/// <summary>
/// An open blocked region: the participant counts as stopped and must not touch arenas until it is disposed.
/// Do not copy.
/// </summary>
public ref struct BlockedRegion
{
    private readonly NestedScope _scope;
    private Participant? _participant;

    internal BlockedRegion(Participant participant, NestedScope scope)
    {
        _participant = participant;
        _scope = scope;
    }

    /// <summary>For code that leaves it by a call of its own; empty inside a handler.</summary>
    internal readonly NestedScope Scope => _scope;

    /// <summary>
    /// Leaves the region; waits while memory is being captured, and takes part in a checkpoint that stops
    /// participants now. Harmless when repeated.
    /// </summary>
    /// <exception cref="InvalidOperationException">
    /// It is not the region or section that was entered last: one inside it is still open, or a copy of this
    /// has left it already. Nothing was changed.
    /// </exception>
    public void Dispose()
    {
        Participant? participant = _participant;
        _participant = null;
        participant?.ExitBlocked(_scope);
    }
}
