using Snapshot.Base;

namespace Snapshot.Memory;

/// <summary>
/// The pages of a region that are open for devices: a network card, io_uring or another process may write
/// them without a fault, since it pinned them before.
/// </summary>
/// <remarks>
/// <para>Pinning takes the fault of a write, and the write comes later, at any time. Were the page armed or
/// frozen in between, it would change in place and nobody would learn of it. So a page that is open is
/// neither: every collect reports it as written and leaves it unarmed, and it is copied in the pause.</para>
/// <para>Concurrency. Any thread opens and closes ranges at any time. One lock is held by whoever does that,
/// and by a tracker for the whole of a collect, so that one comes before the other.</para>
/// <para>Opened before a collect: the collect finds the range. Opened after it: nothing was pinned at the
/// collect, which has therefore told of every write; what it armed is armed no more when the opening returns.
/// Before the freeze of the same pause, which then finds pages that are not armed and copies them at once
/// (the lock of their span orders the two, freeze.c); or after it, also while the pages are drained: what is
/// frozen is copied away first.</para>
/// <para>Closed before a collect: the pages were noted as changed before they left the set, so the collect
/// reports them, whatever their bits say, and arms them. Closed after it: the collect had them as open, and
/// the note is for the next.</para>
/// <para>Where the kernel itself lets a write through (asynchronous write protection, soft-dirty bits)
/// nothing has to be opened: pages that are armed stop nobody who pins them.</para>
/// <para>The lock is held while an opening waits for slots, which the drain of the last checkpoint returns
/// without it. No collect comes before that drain has ended.</para>
/// </remarks>
internal sealed class DevicePages : IDisposable
{
    private readonly Lock _gate = new();
    private readonly List<PageRange> _ranges = [];
    private PageBitmap? _open;
    private long _count;
    private bool _isEnded;

    /// <summary>
    /// Holds off every opening and closing until the scope is disposed of, on the same thread.
    /// </summary>
    internal Lock.Scope Hold() => _gate.EnterScope();

    /// <summary>The pages that are open, or null when none is. Hold <see cref="Hold"/>.</summary>
    internal PageBitmap? Open => _count > 0 ? _open : null;

    /// <summary>How many there are.</summary>
    internal long Count => Volatile.Read(ref _count);

    /// <summary>False: no range is opened any more. Hold <see cref="Hold"/>.</summary>
    internal bool TryAdd(PageRange range, long capacity)
    {
        if (_isEnded) return false;
        _open ??= new PageBitmap(capacity);
        _open.Add(range);
        _ranges.Add(range);
        Volatile.Write(ref _count, _open.Count());
        return true;
    }

    /// <summary>
    /// Takes a range out; pages that are in another one, too, stay open. Hold <see cref="Hold"/>.
    /// </summary>
    /// <returns>False: all have ended.</returns>
    internal bool Remove(PageRange range)
    {
        if (_isEnded) return false;
        _ranges.Remove(range);
        _open!.Remove(range);
        foreach (PageRange other in _ranges) _open.Add(other);
        Volatile.Write(ref _count, _open.Count());
        return true;
    }

    /// <summary>Takes the pages that are open out of a set.</summary>
    internal void RemoveFrom(PageBitmap pages)
    {
        using Lock.Scope held = Hold();
        if (Open is { } open) pages.ExceptWith(open);
    }

    /// <summary>The memory is about to go: no range is open, and none is opened, from now on.</summary>
    public void Dispose()
    {
        using Lock.Scope held = Hold();
        _isEnded = true;
        Volatile.Write(ref _count, 0);
        _ranges.Clear();
        _open?.Dispose();
        _open = null;
    }
}
