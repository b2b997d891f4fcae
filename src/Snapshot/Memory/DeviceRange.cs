using Snapshot.Base;

namespace Snapshot;

/// <summary>
/// Memory of an arena that devices may write, until it is disposed of: see
/// <see cref="Arena.OpenForDevices(void*, long)"/>.
/// </summary>
/// <remarks>
/// Thread-safe. When the session is closed its ranges end with the arenas, and to dispose of one after that
/// does nothing; no device may write them any more by then, since their memory is unmapped. One that is
/// forgotten stays open, which costs its copy in each pause, and nothing else.
/// </remarks>
public sealed class DeviceRange : IDisposable
{
    private readonly Arena _arena;
    private readonly PageRange _pages;
    private int _isClosed;

    internal DeviceRange(Arena arena, PageRange pages)
    {
        _arena = arena;
        _pages = pages;
    }

    /// <summary>The first byte of the first page.</summary>
    public nint Address => _arena.BaseAddress + (nint)Pages.Bytes(_pages.Start);

    /// <summary>Bytes of its pages, which are whole.</summary>
    public long Bytes => Pages.Bytes(_pages.Count);

    /// <summary>
    /// Closes it: the last write has arrived, and none follows. Its pages count as written once more. The
    /// second call does nothing.
    /// </summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isClosed, 1) == 0) _arena.CloseForDevices(_pages);
    }
}
