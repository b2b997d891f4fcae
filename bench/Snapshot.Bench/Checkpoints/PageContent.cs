using System.Runtime.CompilerServices;

namespace Snapshot.Bench;

/// <summary>What is written into pages.</summary>
internal static unsafe class PageContent
{
    internal const string NoiseName = "noise", SmoothName = "smooth";

    private const int CellsPerPage = 512;

    /// <summary>A state for <see cref="Noise"/> that no other round and writer begins with.</summary>
    internal static ulong Seed(int round, int writer) =>
        (ulong)(round * 1024L + writer + 1) * 0x9E3779B97F4A7C15;

    /// <summary>
    /// Fills a page with numbers that do not compress (xorshift64*); returns the next state.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static ulong Noise(long* page, ulong state)
    {
        for (int index = 0; index < CellsPerPage; index++)
        {
            state ^= state >> 12;
            state ^= state << 25;
            state ^= state >> 27;
            page[index] = (long)(state * 0x2545F4914F6CDD1D);
        }

        return state;
    }

    /// <summary>
    /// Fills a page with its part of a smooth field, as a solution of a field equation is; it moves by
    /// rounds.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Smooth(long* page, long number, int round)
    {
        double* cells = (double*)page;
        double at = (number * CellsPerPage * 1e-3) + round;
        for (int index = 0; index < CellsPerPage; index++)
            cells[index] = 300 + (20 * Math.Sin(at + (index * 1e-3)));
    }
}
