using Snapshot.Base;
using Snapshot.Image;
using Snapshot.Memory;
using Snapshot.Tracking;

namespace Snapshot.Checkpoint;

/// <summary>
/// Pages of one region that are frozen where they lie: read once, from there or from the copy that a write made
/// necessary.
/// </summary>
/// <remarks>
/// <para>The order. A block that is read before it is written needs no copy. So blocks are read in the order in which
/// the application first wrote them after the capture before: what it did then it is likely to do again (AI-Ckpt,
/// HPDC 2013). A block that was written already is safe in its copy and is left for later, unless copies have taken
/// half the slots. The image has its pages in the order of their addresses all the same: each block is a unit of its
/// own.</para>
/// <para>Used by the checkpoint thread alone.</para>
/// </remarks>
internal sealed class FrozenPages : IDisposable
{
    // Small enough to stay in the second-level cache until the image has it, large enough for one copy.
    private const int PiecePages = 64;

    private const int BlockPages = FreezingTracker.BlockPages;

    private readonly Arena _arena;
    private readonly FreezingTracker _tracker;
    private readonly GrainPolicy _grains;
    private readonly PageBitmap _present;
    private readonly PageBitmap _zero;
    private readonly Dictionary<long, int> _units = [];
    private readonly AlignedBuffer _buffer = new(PiecePages * Pages.Size);

    internal FrozenPages(Arena arena, FreezingTracker tracker)
    {
        _arena = arena;
        _tracker = tracker;
        _grains = new GrainPolicy(tracker);
        _present = new PageBitmap(arena.Region.CapacityPages);
        _zero = new PageBitmap(arena.Region.CapacityPages);
    }

    /// <summary>The content of these pages is wanted as it is now. No managed allocation.</summary>
    internal void Hold(PageBitmap pages) => _tracker.Freeze(pages);

    /// <summary>
    /// Writes every block's changed pages to the image as a unit. Afterwards <see cref="Append"/> tells where they
    /// belong.
    /// </summary>
    /// <param name="changed">Pages that are not as in the parent, those that nobody wants among them.</param>
    /// <param name="wanted">What was given to <see cref="Hold"/>.</param>
    /// <param name="inherited">
    /// Where the image takes over what did not change, which is then part of the unit of its block; or null.
    /// </param>
    /// <param name="writer">The image.</param>
    /// <param name="judge">Tells what a page is to it.</param>
    /// <param name="tally">Counts what was looked at.</param>
    /// <param name="grain">A grain asked for, or Auto; null: this image says nothing of how memory is written.</param>
    /// <param name="cancellation">Looked at for each block.</param>
    internal void WriteUnits(
        PageBitmap changed, PageBitmap wanted, InheritedPages? inherited, ImageWriter writer, PageJudge judge,
        PageTally tally, CaptureGrain? grain, CancellationToken cancellation)
    {
        foreach (long block in _tracker.InDrainOrder(BlocksOf(wanted)))
        {
            cancellation.ThrowIfCancellationRequested();
            long before = judge.Changed;
            _units[block] = writer.BeginUnit();
            tally.Seen(WriteBlock(changed, wanted, inherited, writer, judge, block));
            writer.EndUnit();
            if (grain is { } pinned) _grains.Observe(block, (int)(judge.Changed - before), pinned);
        }
    }

    /// <summary>Adds a page that was written to its place in the page stream.</summary>
    internal void Append(ImageWriter writer, long page)
    {
        if (_present.Contains(page)) writer.AppendUnit(_units[page / BlockPages], 1);
        else writer.Append(_zero.Contains(page) ? ExtentKind.Zero : ExtentKind.InParent, 1);
    }

    /// <summary>The number of the unit that the pages of a block are in, or null.</summary>
    internal int? UnitOf(long block) => _units.TryGetValue(block, out int unit) ? unit : null;

    /// <summary>Nothing is wanted any more.</summary>
    internal void Clear()
    {
        _tracker.Thaw();
        _present.Clear();
        _zero.Clear();
        _units.Clear();
    }

    public void Dispose()
    {
        _present.Dispose();
        _zero.Dispose();
        _buffer.Dispose();
    }

    private static List<long> BlocksOf(PageBitmap pages)
    {
        List<long> blocks = [];
        for (long at = 0; pages.NextRun(at, out PageRange run);)
        {
            blocks.Add(run.Start / BlockPages);
            at = (blocks[^1] + 1) * BlockPages;
        }

        return blocks;
    }

    /// <summary>Returns how many pages were wanted of the block.</summary>
    private long WriteBlock(
        PageBitmap changed, PageBitmap wanted, InheritedPages? inherited, ImageWriter writer, PageJudge judge,
        long block)
    {
        // One size for a block: allocations are seldom smaller, and where they are this merely compresses less.
        int elementSize = -1;
        long seen = 0;
        long at = block * BlockPages;
        long end = at + BlockPages;
        for (; changed.NextRun(at, out PageRange run) && run.Start < end; at = Math.Min(run.End, end))
        {
            inherited?.WriteContent(writer, new PageRange(at, run.Start - at));
            PageRange part = new(run.Start, Math.Min(run.End, end) - run.Start);
            seen += WriteWanted(wanted, part, writer, judge, ref elementSize);
        }

        inherited?.WriteContent(writer, new PageRange(at, end - at));
        return seen;
    }

    private long WriteWanted(
        PageBitmap wanted, PageRange part, ImageWriter writer, PageJudge judge, ref int elementSize)
    {
        long seen = 0;
        for (long at = part.Start; wanted.NextRun(at, out PageRange run) && run.Start < part.End;)
        {
            PageRange piece = new(
                run.Start,
                Math.Min(Math.Min(run.End, part.End), (run.Start / PiecePages + 1) * PiecePages) - run.Start);
            _tracker.Read(piece, _buffer.Span);
            for (long page = piece.Start; page < piece.End; page++)
            {
                ReadOnlySpan<byte> content =
                    _buffer.Span.Slice((int)Pages.Bytes(page - piece.Start), Pages.Size);
                ExtentKind kind = judge.Judge(page, content);
                if (kind == ExtentKind.Zero) _zero.Add(new PageRange(page, 1));
                if (kind != ExtentKind.Present) continue;
                _present.Add(new PageRange(page, 1));
                if (elementSize < 0) elementSize = _arena.ElementSizeHint(page);
                writer.AppendPages(content, elementSize);
            }

            at = piece.End;
            seen += piece.Count;
        }

        return seen;
    }
}
