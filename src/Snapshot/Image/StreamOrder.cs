namespace Snapshot.Image;

/// <summary>
/// The order of the blocks of an image in its page stream, while they are written to the file in an order of
/// their own. Blocks are known by their sequence, the order of the file; their numbers, the order of the
/// stream, are known at the end.
/// </summary>
/// <remarks>
/// A unit is a row of blocks that were written before it is known where in the stream they belong. Its pages
/// keep their order, and no other present page comes between them.
/// </remarks>
internal sealed class StreamOrder
{
    private const int None = -1;

    private readonly List<int> _sequences = [];
    private readonly List<Unit> _units = [];
    private int _open = None;
    private int _placing = None;
    private long _pagesToPlace;

    /// <summary>The sequences of the blocks in the order of the stream.</summary>
    internal List<int> Sequences => _sequences;

    internal bool IsUnitOpen => _open != None;

    /// <returns>The number of the unit, from 0.</returns>
    internal int BeginUnit(int nextSequence)
    {
        if (IsUnitOpen) throw new InvalidOperationException($"unit {_open} has not ended");
        _open = _units.Count;
        _units.Add(new Unit { FirstSequence = nextSequence });
        return _open;
    }

    internal void EndUnit(int nextSequence)
    {
        Unit unit = _units[OpenUnit()];
        unit.BlockCount = nextSequence - unit.FirstSequence;
        _units[_open] = unit;
        _pagesToPlace += unit.PageCount;
        _open = None;
    }

    internal void AddToUnit(long pageCount)
    {
        Unit unit = _units[OpenUnit()];
        unit.PageCount += pageCount;
        _units[_open] = unit;
    }

    /// <summary>The next block of the stream is one that is written now.</summary>
    internal void Add(int sequence) => _sequences.Add(sequence);

    /// <summary>Present pages come next that belong to no unit.</summary>
    internal void ThrowIfPlacing()
    {
        if (_placing != None)
            throw new InvalidOperationException(
                $"{_units[_placing].PagesLeft} pages of unit {_placing} come next in the page stream");
    }

    /// <summary>The next pages of the stream are those of a unit.</summary>
    /// <returns>True when they are its first: its blocks are the next of the stream.</returns>
    internal bool Place(int number, long pageCount)
    {
        if (IsUnitOpen) throw new InvalidOperationException($"unit {_open} has not ended");
        ArgumentOutOfRangeException.ThrowIfNegative(number);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(number, _units.Count);
        if (_placing != number) ThrowIfPlacing();
        Unit unit = _units[number];
        if (pageCount > unit.PagesLeft)
            throw new InvalidOperationException(
                $"unit {number} has {unit.PagesLeft} pages that have no place yet, not {pageCount}");
        if (pageCount == 0) return false;
        bool first = unit.PagesPlaced == 0;
        unit.PagesPlaced += pageCount;
        _units[number] = unit;
        _pagesToPlace -= pageCount;
        _placing = unit.PagesLeft > 0 ? number : None;
        return first;
    }

    /// <summary>Adds the blocks of a unit; those before it in the stream were added.</summary>
    internal void AddUnit(int number)
    {
        Unit unit = _units[number];
        for (int i = 0; i < unit.BlockCount; i++) _sequences.Add(unit.FirstSequence + i);
    }

    internal void ThrowIfIncomplete()
    {
        if (IsUnitOpen) throw new InvalidOperationException($"unit {_open} has not ended");
        if (_pagesToPlace > 0)
            throw new InvalidOperationException($"{_pagesToPlace} pages of units have no place");
    }

    /// <summary>
    /// For each block in the order of the file its number; null when both orders are the same.
    /// </summary>
    internal int[]? NumbersInFile()
    {
        bool same = true;
        for (int i = 0; i < _sequences.Count && same; i++) same = _sequences[i] == i;
        if (same) return null;
        int[] numbers = new int[_sequences.Count];
        for (int i = 0; i < numbers.Length; i++) numbers[_sequences[i]] = i;
        return numbers;
    }

    private int OpenUnit() => IsUnitOpen ? _open : throw new InvalidOperationException("begin a unit first");

    private struct Unit
    {
        internal int FirstSequence;
        internal int BlockCount;
        internal long PageCount;
        internal long PagesPlaced;

        internal readonly long PagesLeft => PageCount - PagesPlaced;
    }
}
