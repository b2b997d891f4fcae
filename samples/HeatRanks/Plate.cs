using Snapshot;
using Snapshot.Mpi;

namespace HeatRanks;

/// <summary>
/// The rows of a plate that one rank computes, with a row of each neighbour above and below: the state of the
/// rank, in an arena.
/// </summary>
internal sealed class Plate
{
    private readonly Arena _arena;
    private readonly ArenaArray<double> _cells;
    private readonly int _size;
    private readonly int _rows;
    private readonly Communicator _ranks;

    internal Plate(MpiJob job, int size)
    {
        _ranks = job.Communicator;
        _size = size;
        First = Bound(_ranks.Rank);
        _rows = Bound(_ranks.Rank + 1) - First;
        _arena = job.Session.OpenArena("plate");
        _cells = _arena.RootArray<double>("cells", 2 * Cells);
        if (job.Restarted is null) Heat();
    }

    /// <summary>How far the computation is; zero at first, later as it was captured.</summary>
    internal ref long Step => ref _arena.Root<long>("step");

    /// <summary>The first row that this rank computes.</summary>
    internal int First { get; }

    /// <summary>The rows of this rank, as they are now.</summary>
    internal ReadOnlySpan<double> Result => Field(Step).Slice(_size, _rows * _size);

    private int Cells => (_rows + 2) * _size;

    /// <summary>One step: neighbours give each other their outermost rows, then each row is swept.</summary>
    internal void Advance()
    {
        Span<double> before = Field(Step), after = Field(Step + 1);
        int above = _ranks.Rank - 1, below = _ranks.Rank + 1 < _ranks.Size ? _ranks.Rank + 1 : -1;
        _ranks.Exchange(Row(before, 1), above, Row(before, _rows + 1), below);
        _ranks.Exchange(Row(before, _rows), below, Row(before, 0), above);
        for (int row = 1; row <= _rows; row++)
        {
            int global = First + row - 1;
            if (global == 0 || global == _size - 1) continue;
            for (int at = row * _size + 1; at < (row + 1) * _size - 1; at++)
            {
                after[at] =
                    0.25 * (before[at - _size] + before[at + _size] + (before[at - 1] + before[at + 1]));
            }
        }

        Step++;
    }

    /// <summary>The left edge is hot, and half of the upper one; the edges stay as they are.</summary>
    private void Heat()
    {
        for (int turn = 0; turn < 2; turn++)
        {
            Span<double> field = Field(turn);
            for (int row = 1; row <= _rows; row++) field[row * _size] = 100;
            if (First == 0) Row(field, 1)[..(_size / 2)].Fill(50);
        }
    }

    private int Bound(int rank) => (int)((long)_size * rank / _ranks.Size);

    /// <summary>The two fields take turns.</summary>
    private Span<double> Field(long step) => _cells.AsSpan().Slice((int)(step & 1) * Cells, Cells);

    private Span<double> Row(Span<double> field, int row) => field.Slice(row * _size, _size);
}
