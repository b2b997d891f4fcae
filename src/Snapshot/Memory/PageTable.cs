using System.Numerics;
using Snapshot.Base;

namespace Snapshot.Memory;

/// <summary>
/// What each page of an arena is: descriptors, starts of live runs, exclusions. A view of tables that lie in
/// the arena.
/// </summary>
/// <remarks>
/// <para>A chunk is 64 MiB of arena, 16384 pages. Its tables take 129 pages and are made when the arena grows
/// into it, so they cost in proportion to what is committed and not to the capacity:</para>
/// <code>
/// bytes 0 ..        16384 PageDescriptors
/// bytes 524288 ..   start bits: page is the first of a live run (a run that is not free)
/// bytes 526336 ..   excluded bits: page is not saved
/// </code>
/// <para>Only the first page of a live run says what it is. From any other page of it the first one is found
/// by looking for the nearest start bit below, and, where a run began in an earlier chunk, in that chunk's
/// directory entry.</para>
/// <para>Not thread-safe.</para>
/// </remarks>
internal sealed unsafe class PageTable(byte* arena)
{
    internal const int ChunkShift = 14;
    internal const int ChunkPages = 1 << ChunkShift;
    internal const int DescriptorBytes = ChunkPages * PageDescriptor.Bytes;
    internal const int BitmapBytes = ChunkPages / 8;
    internal const int TablesPages = (DescriptorBytes + 2 * BitmapBytes) / Pages.Size;

    private const int PageMask = ChunkPages - 1;

    internal static long DirectoryPages(long capacityPages) =>
        Pages.Holding(ChunksHolding(capacityPages) * ChunkEntry.Bytes);

    internal static long ChunksHolding(long pages) => (pages + PageMask) >> ChunkShift;

    internal ArenaHeader* Header => (ArenaHeader*)arena;

    internal byte* Base => arena;

    internal ChunkEntry* Chunk(long chunk) => (ChunkEntry*)(arena + ArenaHeader.Bytes) + chunk;

    internal PageDescriptor* Descriptor(long page) =>
        (PageDescriptor*)(arena + Chunk(page >> ChunkShift)->TablesOffset) + (page & PageMask);

    /// <summary>Whether the page is the first of a live run.</summary>
    internal bool IsLive(long page) =>
        (StartBits(page >> ChunkShift)[(page & PageMask) >> 6] >> (int)(page & 63) & 1) != 0;

    /// <summary>Enters a live run; the descriptor's other fields are zero.</summary>
    internal PageDescriptor* SetLive(PageRange run, RunKind kind)
    {
        Changes++;
        StartBits(run.Start >> ChunkShift)[(run.Start & PageMask) >> 6] |= 1UL << (int)(run.Start & 63);
        for (long chunk = (run.Start >> ChunkShift) + 1; chunk << ChunkShift < run.End; chunk++)
            Chunk(chunk)->CoveringRun = run.Start;
        PageDescriptor* first = Descriptor(run.Start);
        *first = new PageDescriptor { Kind = kind, PageCount = (uint)run.Count };
        return first;
    }

    internal void ClearLive(long start)
    {
        Changes++;
        StartBits(start >> ChunkShift)[(start & PageMask) >> 6] &= ~(1UL << (int)(start & 63));
        *Descriptor(start) = default;
    }

    /// <summary>
    /// The first page of the live run that holds <paramref name="page"/> (which is committed), or -1.
    /// </summary>
    internal long LiveRunHolding(long page)
    {
        long chunk = page >> ChunkShift;
        ulong* bits = StartBits(chunk);
        int word = (int)(page & PageMask) >> 6;
        ulong below = bits[word] & ulong.MaxValue >> (63 - (int)(page & 63));
        if (below == 0)
        {
            word = new ReadOnlySpan<ulong>(bits, word).LastIndexOfAnyExcept(0UL);
            if (word >= 0) below = bits[word];
        }

        long run = below == 0
            ? Chunk(chunk)->CoveringRun
            : (chunk << ChunkShift) + ((long)word << 6) + BitOperations.Log2(below);
        // A free page finds the live run before it, or a covering run of the past: neither holds the page.
        return IsLive(run) && run + Descriptor(run)->PageCount > page ? run : -1;
    }

    /// <summary>
    /// Goes up with every page that comes to be free, live, excluded or included: whoever knows which are
    /// which need not look again while it stays.
    /// </summary>
    internal long Changes { get; private set; }

    /// <summary>Sets or clears the exclusion of pages.</summary>
    internal void SetExcluded(PageRange range, bool excluded)
    {
        Changes++;
        for (long page = range.Start; page < range.End;)
        {
            ChunkEntry* chunk = Chunk(page >> ChunkShift);
            if (!excluded && chunk->ExcludedPages == 0)
            {
                page = ((page >> ChunkShift) + 1) << ChunkShift;
                continue;
            }

            int low = (int)(page & 63);
            int count = (int)Math.Min(64 - low, range.End - page);
            ulong mask = ulong.MaxValue >> (64 - count) << low;
            ulong* word = ExcludedBits(page >> ChunkShift) + ((page & PageMask) >> 6);
            ulong bits = excluded ? *word | mask : *word & ~mask;
            chunk->ExcludedPages += BitOperations.PopCount(bits) - BitOperations.PopCount(*word);
            *word = bits;
            page += count;
        }
    }

    /// <summary>
    /// Adds every excluded page to <paramref name="into"/>; a whole chunk of them or of none is one step.
    /// </summary>
    internal void AddExcludedTo(PageBitmap into)
    {
        long chunks = ChunksHolding(Header->CommittedPages);
        for (long chunk = 0; chunk < chunks; chunk++)
        {
            long excluded = Chunk(chunk)->ExcludedPages;
            if (excluded == ChunkPages) into.Add(new PageRange(chunk << ChunkShift, ChunkPages));
            else if (excluded != 0) AddExcludedTo(into, chunk);
        }
    }

    /// <summary>The number of live runs that begin in a chunk.</summary>
    internal long CountLive(long chunk) => CountBits(StartBits(chunk));

    /// <summary>The number of excluded pages of a chunk, by its bits.</summary>
    internal long CountExcluded(long chunk) => CountBits(ExcludedBits(chunk));

    private static long CountBits(ulong* bits)
    {
        long count = 0;
        for (int word = 0; word < ChunkPages / 64; word++) count += BitOperations.PopCount(bits[word]);
        return count;
    }

    private void AddExcludedTo(PageBitmap into, long chunk)
    {
        ulong* bits = ExcludedBits(chunk);
        for (int word = 0; word < ChunkPages / 64; word++)
        {
            int at = 0;
            for (ulong left = bits[word]; left != 0;)
            {
                int skip = BitOperations.TrailingZeroCount(left);
                int run = BitOperations.TrailingZeroCount(~(left >> skip));
                into.Add(new PageRange((chunk << ChunkShift) + word * 64L + at + skip, run));
                at += skip + run;
                left = at == 64 ? 0 : bits[word] >> at;
            }
        }
    }

    private ulong* StartBits(long chunk) => (ulong*)(arena + Chunk(chunk)->TablesOffset + DescriptorBytes);

    private ulong* ExcludedBits(long chunk) => StartBits(chunk) + BitmapBytes / sizeof(ulong);
}
