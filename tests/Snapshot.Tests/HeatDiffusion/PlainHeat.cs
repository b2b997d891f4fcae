using System.IO.Hashing;
using System.Runtime.InteropServices;
using HeatDiffusion;

namespace Snapshot.Tests.HeatDiffusion;

/// <summary>
/// Heat diffusion as one writes it first: one thread, managed arrays, no checkpoints. What the sample must
/// agree with.
/// </summary>
internal static class PlainHeat
{
    internal static double[] RandomField(int size, int seed)
    {
        Random random = new(seed);
        return [.. Enumerable.Range(0, size * size).Select(_ => random.NextDouble() * 100)];
    }

    /// <summary>The next field; the rim stays.</summary>
    internal static double[] Sweep(double[] field, int size)
    {
        double[] next = [.. field];
        for (int y = 1; y < size - 1; y++)
        {
            for (int x = 1; x < size - 1; x++)
            {
                int here = y * size + x;
                double neighbours =
                    field[here - size] + field[here + size] + (field[here - 1] + field[here + 1]);
                next[here] = field[here] + (neighbours - field[here] * 4.0) * Stencil.Alpha;
            }
        }

        return next;
    }

    /// <summary>What the sample calls the checksum of its final field.</summary>
    internal static string ChecksumOf(string picture, int size, int steps)
    {
        GreyImage image = Pgm.Read(picture);
        double[] field = new double[size * size];
        for (int index = 0; index < field.Length; index++)
        {
            double grey = image.At((index % size + 0.5) / size, (index / size + 0.5) / size);
            field[index] = grey * HeatOptions.HottestTemperature;
        }

        for (int step = 0; step < steps; step++) field = Sweep(field, size);
        return Convert.ToHexStringLower(XxHash64.Hash(MemoryMarshal.AsBytes(field.AsSpan())));
    }
}
