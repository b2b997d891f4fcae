namespace Snapshot.Checkpoint;

/// <summary>
/// Whether an early stop pays. Where written pages can be found only while nobody writes, a short stop before
/// the checkpoint finds them, and they are copied while the participants compute instead of inside the pause.
/// </summary>
/// <remarks>
/// It costs the application a second look through the page tables, and spares it the copies of pages that are
/// not written again until the pause. So it is made where there is much to copy, unless the latest one spared
/// less than half of the copies; then some checkpoints do without, and it is tried again.
/// </remarks>
internal sealed class EarlyStop
{
    /// <summary>8 MiB: fewer pages are copied in the time that stopping and looking takes.</summary>
    internal const long LeastPages = 1 << 11;

    /// <summary>Checkpoints that do without once one did not pay.</summary>
    internal const int Rest = 7;

    private long _found;
    private int _left;

    /// <summary>Whether this checkpoint is to make one.</summary>
    /// <param name="pages">Pages that would be copied inside the pause otherwise.</param>
    internal bool Pays(long pages)
    {
        _found = 0;
        if (pages < LeastPages) return false;
        if (_left-- > 0) return false;
        _left = 0;
        _found = pages;
        return true;
    }

    /// <summary>The pause is over.</summary>
    /// <param name="copied">Pages that were copied inside it all the same.</param>
    internal void Observe(long copied)
    {
        if (copied > _found / 2 && _found > 0) _left = Rest;
        _found = 0;
    }
}
