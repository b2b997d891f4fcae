namespace Snapshot.Coordination;

/// <summary>
/// Which part of which handler runs on a thread now, for diagnostics and for the rules that hold inside
/// handlers.
/// </summary>
/// <remarks>Written by the thread that runs the parts, read by any.</remarks>
internal sealed class HandlerPart
{
    private volatile HandlerEntry? _entry;
    private volatile string _kind = "";

    internal bool IsRunning => _entry is not null;

    internal void Enter(HandlerEntry entry, string kind)
    {
        _kind = kind;
        _entry = entry;
    }

    internal void Leave() => _entry = null;

    /// <summary>Such as "in the prepare part of handler 'flush'"; null when none runs.</summary>
    internal string? Describe() =>
        _entry is { } entry ? $"in the {_kind} part of handler '{entry.Name}'" : null;
}
