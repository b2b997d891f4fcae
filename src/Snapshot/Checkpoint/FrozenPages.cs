using Snapshot.Base;
using Snapshot.Image;
using Snapshot.Memory;
using Snapshot.Tracking;

namespace Snapshot.Checkpoint;

/// <summary>
/// Pages of one region that are frozen where they lie: read once, from there or from the copy that a write
/// made necessary.
/// </summary>
/// <remarks>
/// <para>The order. A span that is read before it is written needs no copy. So spans are read in the order in
/// which the application first wrote them after the capture before: what it did then it is likely to do again
/// (AI-Ckpt, HPDC 2013). A span that was written already is safe in its copy and is left for later, unless
/// copies have taken half the slots. The image has its pages in the order of their addresses all the same:
/// each span is a unit of its own.</para>
/// <para>Invariant: a wanted page is held with its content of the moment of capture once <see cref="Hold"/>
/// returned; the argument is in freeze.c.</para>
/// </remarks>
internal sealed class FrozenPages : IRegionPages
{
    private const int SpanPages = FreezingTracker.SpanPages;

    /// <summary>
    /// Pages from which on an early collect pays: what is written between it and the pause waits once more,
    /// 20 to 50 microseconds a span; the pause is shorter by a seventh of a microsecond for each.
    /// </summary>
    private const long EarlyFrom = 64 * SpanPages;

    private readonly Arena? _arena;
    private readonly DirtyTracker _tracker;
    private readonly IFreezing _content;
    private readonly PageBitmap _present;
    private readonly PageBitmap _zero;
    private readonly Dictionary<long, int> _units = [];

    /// <param name="region">What to capture.</param>
    /// <param name="arena">The arena behind the region, or null for a protected buffer.</param>
    /// <param name="tracker">Owned from here on.</param>
    /// <param name="content">What the tracker freezes, and delivers.</param>
    internal FrozenPages(MemoryRegion region, Arena? arena, DirtyTracker tracker, IFreezing content)
    {
        _arena = arena;
        _tracker = tracker;
        _content = content;
        _present = new PageBitmap(region.CapacityPages);
        _zero = new PageBitmap(region.CapacityPages);
    }

    public DirtyTracker Tracker => _tracker;

    public void Prepare(
        PageBitmap changed, PageBitmap free, PageBitmap excluded, PageHashes hashes, long parentPages)
    {
        // Nothing is copied. Protecting what was written so far is what would make the pause grow.
        if (_tracker.CountChanged() >= EarlyFrom) _tracker.CollectEarly(changed);
    }

    public PageRange Collect(PageBitmap changed)
    {
        _tracker.Collect(changed);
        return _content.Collected;
    }

    public void Hold(PageBitmap wanted) => _content.Freeze(wanted);

    /// <summary>Writes every span's changed pages to the image as a unit.</summary>
    public void Write(RegionDraft draft)
    {
        foreach (long span in _content.InDrainOrder(SpansOf(draft.Wanted)))
        {
            draft.Cancellation.ThrowIfCancellationRequested();
            _units[span] = draft.Writer.BeginUnit();
            draft.Tally.Seen(WriteSpan(draft, span));
            draft.Writer.EndUnit();
        }
    }

    /// <summary>Says of pages that were written where they are.</summary>
    public void Append(RegionDraft draft, PageRange pages)
    {
        for (long page = pages.Start; page < pages.End; page++)
        {
            if (_present.Contains(page)) draft.Writer.AppendUnit(_units[SpanOf(page)], 1);
            else draft.Writer.Append(_zero.Contains(page) ? ExtentKind.Zero : ExtentKind.InParent, 1);
        }
    }

    /// <summary>Those in a span that is a unit were written with it.</summary>
    public void AppendInherited(RegionDraft draft, InheritedPages inherited, PageRange pages) =>
        inherited.AppendBeside(draft.Writer, pages, SpanOf, FirstOf, _units, draft.Cancellation);

    public void LetGo()
    {
        _content.Thaw();
        _present.Clear();
        _zero.Clear();
        _units.Clear();
    }

    public DirtyTracker Detach()
    {
        _present.Dispose();
        _zero.Dispose();
        return _tracker;
    }

    public void Dispose() => Detach().Dispose();

    private long SpanOf(long page) => (page + _content.FirstInSpan) / SpanPages;

    /// <summary>The first page of a span, or what would be it.</summary>
    private long FirstOf(long span) => (span * SpanPages) - _content.FirstInSpan;

    private List<long> SpansOf(PageBitmap pages)
    {
        List<long> spans = [];
        for (long at = 0; pages.NextRun(at, out PageRange run);)
        {
            spans.Add(SpanOf(run.Start));
            at = FirstOf(spans[^1] + 1);
        }

        return spans;
    }

    /// <summary>Returns how many pages were wanted of the span.</summary>
    private long WriteSpan(RegionDraft draft, long span)
    {
        // One size for a span: allocations are seldom smaller, and where they are this merely compresses
        // less.
        int elementSize = -1;
        long seen = 0;
        long at = Math.Max(0, FirstOf(span));
        long end = FirstOf(span + 1);
        for (; draft.Changed.NextRun(at, out PageRange run) && run.Start < end; at = Math.Min(run.End, end))
        {
            draft.Inherited?.WriteContent(draft.Writer, new PageRange(at, run.Start - at));
            PageRange part = new(run.Start, Math.Min(run.End, end) - run.Start);
            seen += WriteWanted(draft, part, ref elementSize);
        }

        draft.Inherited?.WriteContent(draft.Writer, new PageRange(at, end - at));
        return seen;
    }

    private long WriteWanted(RegionDraft draft, PageRange part, ref int elementSize)
    {
        long seen = 0;
        for (long at = part.Start; draft.Wanted.NextRun(at, out PageRange run) && run.Start < part.End;)
        {
            // Read once, to where it is written from; hashed while it is in the cache.
            Span<byte> room = draft.Writer.Room();
            PageRange piece = new(
                run.Start, Math.Min(Math.Min(run.End, part.End) - run.Start, room.Length >> Pages.Shift));
            _content.Read(piece, room);
            int present = Sift(draft.Judge, piece, room, draft.Writer.RoomHashes());
            if (present > 0 && elementSize < 0) elementSize = _arena?.ElementSizeHint(piece.Start) ?? 0;
            draft.Writer.AppendRoom(present, elementSize);
            at = piece.End;
            seen += piece.Count;
        }

        return seen;
    }

    /// <summary>
    /// Moves the pages that the image is to have to the front, and returns how many they are.
    /// </summary>
    private int Sift(PageJudge judge, PageRange piece, Span<byte> room, Span<PageHash> hashes)
    {
        int present = 0;
        for (int at = 0; at < piece.Count; at++)
        {
            PageRange page = new(piece.Start + at, 1);
            Span<byte> content = room.Slice(at * Pages.Size, Pages.Size);
            ExtentKind kind = judge.Judge(page.Start, content, out PageHash hash);
            if (kind == ExtentKind.Zero) _zero.Add(page);
            if (kind != ExtentKind.Present) continue;
            _present.Add(page);
            if (present < at) content.CopyTo(room[(present * Pages.Size)..]);
            hashes[present++] = hash;
        }

        return present;
    }
}
