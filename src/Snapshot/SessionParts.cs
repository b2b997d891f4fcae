using Snapshot.Base;
using Snapshot.Coordination;
using Snapshot.Interop;

namespace Snapshot;

/// <summary>What another assembly of the library adds to a session, and the session closes.</summary>
internal interface ISessionPart
{
    /// <summary>The session ends: nothing is captured any more, and arenas stay mapped.</summary>
    public void Close();
}

/// <summary>
/// The seam of a session for other assemblies of the library: what they may use of it, and what they added.
/// </summary>
/// <remarks>Thread-safe.</remarks>
internal sealed class SessionParts(
    Coordinator coordinator, ProcessorShare share, SessionMemory memory, SessionFibers fibers,
    Subscribers subscribers)
{
    private readonly Lock _adding = new();
    private readonly List<ISessionPart> _parts = [];

    internal Coordinator Coordinator => coordinator;

    internal ProcessorShare Share => share;

    /// <summary>Calls what the program wants to be told by, and keeps what it throws.</summary>
    internal Subscribers Subscribers => subscribers;

    internal bool Any
    {
        get
        {
            lock (_adding) return _parts.Count > 0;
        }
    }

    /// <summary>The part of that type; a session has one at most, made when it is first asked for.</summary>
    internal TPart GetOrAdd<TPart>(Func<TPart> make)
        where TPart : class, ISessionPart
    {
        lock (_adding)
        {
            if (_parts.OfType<TPart>().FirstOrDefault() is { } part) return part;
            part = make();
            _parts.Add(part);
            return part;
        }
    }

    /// <exception cref="SnapshotException">Unsupported: arenas are tracked by signals.</exception>
    internal void ThrowIfBySignals(string what) => memory.ThrowIfBySignals(what);

    /// <summary>Calls back when there are fibers, at once if there are already. For one part.</summary>
    internal void WhenFibersAreUsed(Action call) => fibers.Used = call;

    /// <summary>Closes all parts.</summary>
    internal void Close()
    {
        Closing closing = default;
        lock (_adding)
        {
            foreach (ISessionPart part in _parts) closing.Do(part.Close);
        }

        closing.End();
    }
}
