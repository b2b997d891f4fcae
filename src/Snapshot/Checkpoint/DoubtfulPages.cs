using Snapshot.Base;
using Snapshot.Memory;
using Snapshot.Tracking;

namespace Snapshot.Checkpoint;

/// <summary>
/// Pages of a protected buffer that have only a part of themselves on memory that was written: of two
/// neighbours, as a rule, one changed. To hash them costs less than to copy both.
/// </summary>
/// <remarks>
/// While nobody writes, so one that is as in the newest image has not changed. Its hash is unknown where a
/// checkpoint failed that had it, and then it stays. No managed allocation after construction.
/// </remarks>
internal sealed unsafe class DoubtfulPages(MemoryRegion region, PageHashes hashes, ScanCrew? crew)
    : IScanWork, IDisposable
{
    /// <summary>16 MiB; pieces share no word of a set.</summary>
    private const long PiecePages = 4096;

    private readonly PageBitmap _doubtful = new(region.CapacityPages);
    private PageBitmap? _changed;
    private long _parentPages;

    /// <summary>Removes those that are as in the newest image.</summary>
    internal void Sift(DirtyTracker tracker, PageBitmap changed, long parentPages)
    {
        _doubtful.Clear();
        tracker.MarkDoubtful(_doubtful);
        _changed = changed;
        _parentPages = parentPages;
        int pieces = (int)((region.CommittedPages + PiecePages - 1) / PiecePages);
        if (_doubtful.NextRun(0, out _) && crew is not null) crew.Run(this, pieces, own: null!);
        else
        {
            for (int piece = 0; piece < pieces; piece++) Sift(piece);
        }
    }

    void IScanWork.Do(int piece, PageScan scan) => Sift(piece);

    public void Dispose() => _doubtful.Dispose();

    private void Sift(int piece)
    {
        long end = Math.Min((piece + 1) * PiecePages, _parentPages);
        long at = piece * PiecePages;
        for (; _doubtful.NextRun(at, out PageRange run) && run.Start < end; at = run.End)
        {
            for (long page = run.Start; page < Math.Min(run.End, end); page++)
            {
                long bytes = Math.Min(Pages.Size, region.CommittedBytes - Pages.Bytes(page));
                ReadOnlySpan<byte> content = new(region.Address + Pages.Bytes(page), (int)bytes);
                if (hashes.Matches(page, content, out _)) _changed!.Remove(new PageRange(page, 1));
            }
        }
    }
}
