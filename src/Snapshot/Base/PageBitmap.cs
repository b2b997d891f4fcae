using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Snapshot.Base;

/// <summary>A set of pages of one region: one bit a page, in unmanaged memory, fixed capacity.</summary>
/// <remarks>
/// No member allocates managed memory after construction, so the set may be used between the last arrival and
/// the release. Not thread-safe, except <see cref="AddShared"/> and <see cref="MoveSharedTo"/>, which may run
/// against each other: a page added before the move starts is moved, one added while it runs is moved or
/// stays, none is lost. The passes over words are compiled with full optimization at once: the first pause of
/// a process must not pay for code that the runtime would otherwise first run unoptimized.
/// </remarks>
internal sealed unsafe class PageBitmap : IDisposable
{
    private ulong* _words;
    private readonly long _wordCount;

    // Words at and past this one are zero, so that the cost of every pass follows the pages in use and not
    // the capacity. Grows with additions; Clear brings it back to 0.
    private long _usedWords;

    internal PageBitmap(long capacity)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(capacity);
        Capacity = capacity;
        _wordCount = (capacity + 63) >> 6;
        // Whole spans, eight words each, are what the C part reads. calloc: a large map costs address space
        // until it is written, if it is not of memory that was freed before.
        _words = (ulong*)NativeMemory.AllocZeroed((nuint)((Math.Max(_wordCount, 1) + 7) & ~7), sizeof(ulong));
    }

    /// <summary>The number of pages the set can hold; members are in [0, Capacity).</summary>
    internal long Capacity { get; }

    /// <summary>
    /// The words, for native code: 64 pages each, the first page in the lowest bit. Whoever sets bits below a
    /// page says so before, by <see cref="UseUpTo"/>.
    /// </summary>
    internal ulong* Words => _words;

    /// <summary>Pages below this one may become members without <see cref="Add"/>.</summary>
    internal void UseUpTo(long page)
    {
        CheckRange(0, page);
        _usedWords = Math.Max(_usedWords, (page + 63) >> 6);
    }

    internal bool Contains(long page)
    {
        CheckRange(page, 1);
        return (_words[page >> 6] >> (int)(page & 63) & 1) != 0;
    }

    internal void Add(PageRange range)
    {
        CheckRange(range.Start, range.Count);
        for (WordCursor at = new(range); at.Next();) _words[at.Word] |= at.Mask;
        if (range.Count > 0) _usedWords = Math.Max(_usedWords, ((range.End - 1) >> 6) + 1);
    }

    internal void Remove(PageRange range)
    {
        CheckRange(range.Start, range.Count);
        for (WordCursor at = new(range); at.Next();) _words[at.Word] &= ~at.Mask;
    }

    /// <summary>Adds pages while other threads add, too, or one moves the set away.</summary>
    internal void AddShared(PageRange range)
    {
        CheckRange(range.Start, range.Count);
        if (range.Count == 0) return;

        // The mark is raised before the bits are set: a concurrent move that saw the old mark misses bits
        // that were set while it ran, which it may, and the next move sees them.
        long used = ((range.End - 1) >> 6) + 1;
        for (long seen = Volatile.Read(ref _usedWords); seen < used;)
            seen =
                Interlocked.CompareExchange(ref _usedWords, used, seen) is var before && before == seen
                    ? used : before;
        for (WordCursor at = new(range); at.Next();) Interlocked.Or(ref _words[at.Word], at.Mask);
    }

    /// <summary>
    /// Takes every page out of this set and adds it to <paramref name="target"/>, which one thread owns.
    /// </summary>
    internal void MoveSharedTo(PageBitmap target)
    {
        CheckCapacity(target);
        long used = Volatile.Read(ref _usedWords);
        for (long word = 0; word < used; word++)
        {
            if (Volatile.Read(ref _words[word]) != 0)
                target._words[word] |= Interlocked.Exchange(ref _words[word], 0);
        }

        target._usedWords = Math.Max(target._usedWords, used);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal void UnionWith(PageBitmap other)
    {
        CheckCapacity(other);
        for (long word = 0; word < other._usedWords; word++)
        {
            ulong bits = other._words[word];
            if (bits != 0) _words[word] |= bits;
        }

        _usedWords = Math.Max(_usedWords, other._usedWords);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal void ExceptWith(PageBitmap other)
    {
        CheckCapacity(other);
        for (long word = 0, end = Math.Min(_usedWords, other._usedWords); word < end; word++)
        {
            ulong bits = _words[word];
            if (bits != 0) _words[word] = bits & ~other._words[word];
        }
    }

    /// <summary>Adds what is in <paramref name="of"/> and not in <paramref name="not"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal void AddDifference(PageBitmap of, PageBitmap not)
    {
        CheckCapacity(of);
        CheckCapacity(not);
        for (long word = 0; word < of._usedWords; word++)
        {
            ulong bits = of._words[word] & ~not._words[word];
            if (bits != 0) _words[word] |= bits;
        }

        _usedWords = Math.Max(_usedWords, of._usedWords);
    }

    /// <summary>
    /// Of the pages of a range, makes those members that are in <paramref name="of"/> and in neither of the
    /// others. Whole words: neighbours of the range that share a word with it come along.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal void Choose(PageRange range, PageBitmap of, PageBitmap not, PageBitmap nor)
    {
        CheckCapacity(of);
        CheckCapacity(not);
        CheckCapacity(nor);
        CheckRange(range.Start, range.Count);
        UseUpTo(range.End);
        for (long word = range.Start >> 6, end = (range.End + 63) >> 6; word < end; word++)
            _words[word] = of._words[word] & ~not._words[word] & ~nor._words[word];
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal void Clear()
    {
        for (long word = 0; word < _usedWords; word++)
        {
            if (_words[word] != 0) _words[word] = 0;
        }

        _usedWords = 0;
    }

    internal long Count()
    {
        long count = 0;
        for (long word = 0; word < _usedWords; word++) count += BitOperations.PopCount(_words[word]);
        return count;
    }

    /// <summary>
    /// The first run of members at or after <paramref name="from"/>, or false. Walk a set with
    /// <c>for (long at = 0; set.NextRun(at, out PageRange run); at = run.End)</c>.
    /// </summary>
    internal bool NextRun(long from, out PageRange run)
    {
        long start = Find(from, invert: 0);
        if (start >= Capacity)
        {
            run = default;
            return false;
        }

        run = new PageRange(start, Find(start, invert: ulong.MaxValue) - start);
        return true;
    }

    public void Dispose()
    {
        NativeMemory.Free(_words);
        _words = null;
        GC.SuppressFinalize(this);
    }

    ~PageBitmap() => NativeMemory.Free(_words);

    /// <summary>
    /// The first page at or after <paramref name="from"/> whose bit, XOR-ed with invert, is set; or Capacity.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private long Find(long from, ulong invert)
    {
        if (from >= Capacity) return Capacity;
        long limit = _usedWords;
        long word = from >> 6;
        if (word >= limit) return invert == 0 ? Capacity : from;
        ulong bits = (_words[word] ^ invert) & (ulong.MaxValue << (int)(from & 63));
        while (bits == 0)
        {
            if (++word >= limit) return invert == 0 ? Capacity : Math.Min(word << 6, Capacity);
            bits = _words[word] ^ invert;
        }

        // Bits past Capacity in the last word are never set, so only the search for a gap can run past it.
        return Math.Min((word << 6) + BitOperations.TrailingZeroCount(bits), Capacity);
    }

    private void CheckRange(long start, long count)
    {
        if (start < 0 || count < 0 || start > Capacity - count) ThrowRange(start, count);
    }

    private void ThrowRange(long start, long count) => throw new ArgumentOutOfRangeException(
        nameof(start), $"pages [{start}, {start + count}) are not within the {Capacity} pages of the set");

    private void CheckCapacity(PageBitmap other)
    {
        if (other.Capacity != Capacity)
            throw new ArgumentException("the sets belong to regions of different capacity");
    }

    /// <summary>Walks the words that a range touches, each with the mask of its bits.</summary>
    private ref struct WordCursor(PageRange range)
    {
        private long _at = range.Start;
        private readonly long _end = range.End;

        internal long Word;
        internal ulong Mask;

        internal bool Next()
        {
            if (_at >= _end) return false;
            Word = _at >> 6;
            int low = (int)(_at & 63);
            long bits = Math.Min(64 - low, _end - _at);
            Mask = (bits == 64 ? ulong.MaxValue : (1UL << (int)bits) - 1) << low;
            _at += bits;
            return true;
        }
    }
}
