using System.Numerics;

namespace HeatDiffusion;

/// <summary>
/// The five-point stencil of the explicit scheme for the heat equation: u' = u + α (north + south + east +
/// west − 4u), with the rim of the plate held at its temperature.
/// </summary>
/// <remarks>
/// The order of the operations is the same in every lane and in the scalar rest,
/// so a result does not depend on the machine.
/// </remarks>
internal static unsafe class Stencil
{
    /// <summary>α = κ Δt / Δx². The scheme is stable up to 1/4.</summary>
    internal const double Alpha = 0.2;

    /// <summary>
    /// Computes one row of <paramref name="target"/>, without its two ends,
    /// from three rows of <paramref name="source"/>.
    /// </summary>
    /// <param name="source">A field of size × size values, row by row.</param>
    /// <param name="target">Another one.</param>
    /// <param name="size">Values in a row.</param>
    /// <param name="row">The row, at least 1 and at most size − 2.</param>
    internal static void SweepRow(double* source, double* target, int size, int row)
    {
        double* here = source + (long)row * size;
        double* north = here - size;
        double* south = here + size;
        double* result = target + (long)row * size;

        int x = 1;
        for (; x <= size - 1 - Vector<double>.Count; x += Vector<double>.Count)
        {
            Vector<double> middle = Vector.Load(here + x);
            Vector<double> across = Vector.Load(north + x) + Vector.Load(south + x);
            Vector<double> along = Vector.Load(here + x - 1) + Vector.Load(here + x + 1);
            Vector.Store(middle + (across + along - middle * 4.0) * Alpha, result + x);
        }

        for (; x < size - 1; x++)
        {
            double across = north[x] + south[x];
            double along = here[x - 1] + here[x + 1];
            result[x] = here[x] + (across + along - here[x] * 4.0) * Alpha;
        }
    }

    /// <summary>The sum of one row, without its two ends, from left to right.</summary>
    internal static double SumRow(double* field, int size, int row)
    {
        double* here = field + (long)row * size;
        double sum = 0;
        for (int x = 1; x < size - 1; x++) sum += here[x];
        return sum;
    }
}
