namespace Snapshot.Base;

/// <summary>One of the scopes that a thread or a fiber has open, one inside the other.</summary>
/// <remarks>
/// Each has a number of its own and knows that of the scope around it; who has them open keeps the number of
/// the innermost. So a scope that was left already, of which a copy was kept, is told from the one that is
/// open now, also when that is as deep: to leave the wrong one would end a section that somebody else relies
/// on.
/// </remarks>
internal readonly struct NestedScope
{
    private readonly uint _number;
    private readonly uint _outer;

    private NestedScope(uint number, uint outer)
    {
        _number = number;
        _outer = outer;
    }

    /// <summary>Whether it is none: nothing was entered.</summary>
    internal bool IsEmpty => _number == 0;

    /// <param name="last">The number that was given last; changed.</param>
    /// <param name="innermost">The innermost open scope, 0 for none; changed.</param>
    internal static NestedScope Enter(ref uint last, ref uint innermost)
    {
        // 0 is for none. A number comes again after 2^32 scopes, when no copy is left of the one that had it.
        if (++last == 0) last = 1;
        NestedScope scope = new(last, innermost);
        innermost = last;
        return scope;
    }

    /// <returns>False, and nothing is changed, when this is not the innermost open scope.</returns>
    internal bool TryLeave(ref uint innermost)
    {
        if (_number == 0 || innermost != _number) return false;
        innermost = _outer;
        return true;
    }
}
