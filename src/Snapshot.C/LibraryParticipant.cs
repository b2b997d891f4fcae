using Snapshot.Base;
using Snapshot.C.Interface;

namespace Snapshot.C;

/// <summary>A participant with the sections that its thread has open, which C leaves by call.</summary>
/// <remarks>Its own thread's, as the participant is.</remarks>
internal sealed unsafe class LibraryParticipant(Participant participant)
{
    private readonly Stack<NestedScope> _critical = [];
    private readonly Stack<NestedScope> _blocked = [];
    private readonly Dictionary<string, RegisteredHandler> _handlers = [];

    internal Participant Participant => participant;

    /// <exception cref="InvalidOperationException">
    /// Another thread's, or inside a handler: it cannot leave there.
    /// </exception>
    internal void Detach()
    {
        if (Participant.Current != participant || participant.Part.IsRunning)
        {
            throw new InvalidOperationException(
                $"Participant '{participant.Name}' is detached by the thread that attached it, outside of " +
                "handlers.");
        }

        participant.Dispose();
    }

    internal void EnterCritical() => _critical.Push(participant.EnterCriticalSection().Scope);

    internal void ExitCritical()
    {
        if (!_critical.TryPeek(out NestedScope scope)) throw NotOpen("critical");
        if (!scope.IsEmpty) participant.ExitCritical(scope);
        _critical.Pop();
    }

    internal void EnterBlocked(string? what) => _blocked.Push(participant.EnterBlockedRegion(what).Scope);

    internal void ExitBlocked()
    {
        if (!_blocked.TryPeek(out NestedScope scope)) throw NotOpen("blocked");
        if (!scope.IsEmpty) participant.ExitBlocked(scope);
        _blocked.Pop();
    }

    internal void AddHandler(string name, in CHandler handler, void* argument)
    {
        CallbackHandler callback = new(handler, argument);
        _handlers[name] = new RegisteredHandler(participant.RegisterHandler(name, callback), callback);
    }

    internal void RemoveHandler(string name)
    {
        if (!_handlers.Remove(name, out RegisteredHandler? registered))
            throw LibrarySession.NotFound($"Participant '{participant.Name}' has no handler '{name}'.");
        registered.Remove();
    }

    private InvalidOperationException NotOpen(string kind) =>
        new($"Participant '{participant.Name}' leaves a {kind} section that it has not entered.");
}
