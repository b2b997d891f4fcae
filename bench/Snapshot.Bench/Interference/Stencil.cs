using System.Numerics;
using System.Runtime.CompilerServices;

namespace Snapshot.Bench;

/// <summary>
/// Jacobi's method on a square grid, five points: each step reads one field and rewrites the other, all of
/// it.
/// </summary>
internal sealed unsafe class Stencil : Computation
{
    private readonly double* _first;
    private readonly double* _second;
    private readonly ArenaBarrier* _barrier;
    private readonly long _side;
    private readonly int _threads;

    internal Stencil(Arena arena, long bytes, int threads)
    {
        _side = (long)Math.Sqrt(bytes / 2.0 / sizeof(double));
        _threads = threads;
        _first = arena.RootArray<double>("first", _side * _side).Pointer;
        _second = arena.RootArray<double>("second", _side * _side).Pointer;
        _barrier = arena.RootPointer<ArenaBarrier>("barrier");
        _barrier->Initialize(threads);
    }

    internal override void Fill(int thread, Participant me)
    {
        (long from, long to) = RowsOf(thread);
        (double sinStep, double cosStep) = Math.SinCos(1e-3);
        for (long row = from; row < to; row++)
        {
            // A wave along the row, each value turned on from the one before: a call of sin for each would
            // take longer than what is measured.
            (double sin, double cos) = Math.SinCos(row * 1e-2);
            for (long column = 0; column < _side; column++)
            {
                double value = 300 + (20 * sin);
                _first[(row * _side) + column] = value;
                _second[(row * _side) + column] = value;
                (sin, cos) = ((sin * cosStep) + (cos * sinStep), (cos * cosStep) - (sin * sinStep));
            }

            me.Poll();
        }
    }

    internal override void Step(long step, int thread, Participant me)
    {
        bool isEven = step % 2 == 0;
        double* from = isEven ? _first : _second, to = isEven ? _second : _first;
        (long first, long end) = RowsOf(thread);
        for (long row = Math.Max(first, 1); row < Math.Min(end, _side - 1); row++)
        {
            Relax(from + (row * _side), to + (row * _side), _side);
            me.Poll();
        }

        // Nobody begins the next step before all have ended this one; whoever waits here can be captured.
        _barrier->SignalAndWait();
    }

    /// <summary>Inner points of one row become the mean of their four neighbours.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Relax(double* from, double* to, long side)
    {
        Vector<double> quarter = new(0.25);
        long column = 1;
        for (; column + Vector<double>.Count <= side - 1; column += Vector<double>.Count)
        {
            double* at = from + column;
            Vector<double> sum =
                Vector.Load(at - 1) + Vector.Load(at + 1) + Vector.Load(at - side) + Vector.Load(at + side);
            (sum * quarter).Store(to + column);
        }

        for (; column < side - 1; column++)
        {
            double* at = from + column;
            to[column] = 0.25 * (at[-1] + at[1] + at[-side] + at[side]);
        }
    }

    private (long From, long To) RowsOf(int thread) =>
        (_side * thread / _threads, _side * (thread + 1) / _threads);
}
