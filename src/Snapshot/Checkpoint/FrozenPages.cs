using System.Runtime.InteropServices;
using Snapshot.Base;
using Snapshot.Image;
using Snapshot.Tracking;

namespace Snapshot.Checkpoint;

/// <summary>
/// Pages of one region that are frozen where they lie: read once, from there or from the copy that a write made
/// necessary.
/// </summary>
/// <remarks>Used by the checkpoint thread alone.</remarks>
internal sealed unsafe class FrozenPages(FreezingTracker tracker) : IDisposable
{
    // Small enough to stay in the second-level cache until the image has it, large enough for one copy.
    private const int PiecePages = 64;

    // A block of which an increment has no more than this counts as sparse for a grain.
    private const int FewForSixteen = 32;
    private const int FewForPage = 4;

    private readonly AlignedBuffer _buffer = new(PiecePages * Pages.Size);
    private readonly Dictionary<long, CaptureGrain> _sparse = [];
    private PageRange _piece;

    /// <summary>The content of these pages is wanted as it is now. No managed allocation.</summary>
    internal void Hold(PageBitmap pages) => tracker.Freeze(pages);

    /// <summary>The content of a page at the capture; valid until the next call.</summary>
    /// <param name="page">Asked for once, in ascending order.</param>
    /// <param name="run">Pages around it that are to be read, too.</param>
    internal ReadOnlySpan<byte> Content(long page, PageRange run)
    {
        if (page < _piece.Start || page >= _piece.End)
        {
            long end = Math.Min(run.End, (page / PiecePages + 1) * PiecePages);
            _piece = new PageRange(page, end - page);
            tracker.Read(_piece, _buffer.Span);
        }

        return _buffer.Span.Slice((int)Pages.Bytes(page - _piece.Start), Pages.Size);
    }

    /// <summary>
    /// Sets the grain of a block that was written: by what two increments in a row had of it, since a huge page that
    /// was split for a finer grain does not come back.
    /// </summary>
    /// <param name="block">The block.</param>
    /// <param name="changed">How many of its pages changed.</param>
    /// <param name="pinned">A grain asked for, or Auto.</param>
    internal void Observe(long block, int changed, CaptureGrain pinned)
    {
        CaptureGrain fits = pinned != CaptureGrain.Auto ? pinned
            : changed <= FewForPage ? CaptureGrain.Page
            : changed <= FewForSixteen ? CaptureGrain.SixteenPages
            : CaptureGrain.Block;
        CaptureGrain now = tracker.GrainOf(block);
        _sparse.Remove(block, out CaptureGrain before);
        if (fits == now) return;
        if (fits > now && pinned == CaptureGrain.Auto && before < fits) _sparse.Add(block, fits);
        else tracker.SetGrain(block, fits);
    }

    /// <summary>Nothing is wanted any more.</summary>
    internal void Clear()
    {
        tracker.Thaw();
        _piece = default;
    }

    public void Dispose() => _buffer.Dispose();
}
