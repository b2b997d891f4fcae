using System.Globalization;
using System.IO.Hashing;
using System.Runtime.InteropServices;
using System.Text;
using NBody;

namespace Snapshot.Tests.NBody;

/// <summary>
/// The star cluster as one writes it first: one thread, managed arrays, no vectors, no tiles, no checkpoints.
/// What the sample must agree with.
/// </summary>
internal sealed class PlainCluster
{
    private const double Step = 1.0 / 256;
    private const double SofteningSquared = 1.0 / 1024;

    private readonly double[][] _positions;
    private readonly double[][] _velocities;
    private readonly double[][] _accelerations;
    private readonly double[] _potentials;
    private readonly double _mass;

    internal PlainCluster(int count)
    {
        Body[] bodies = PlummerSphere.Draw(count);
        _mass = 1.0 / count;
        _positions = [[.. bodies.Select(b => b.X)], [.. bodies.Select(b => b.Y)],
            [.. bodies.Select(b => b.Z)]];
        _velocities = [[.. bodies.Select(b => b.Vx)], [.. bodies.Select(b => b.Vy)],
            [.. bodies.Select(b => b.Vz)]];
        _accelerations = [new double[count], new double[count], new double[count]];
        _potentials = new double[count];
        Attract();
    }

    private int Count => _potentials.Length;

    internal double KineticEnergy => Enumerable.Range(0, Count).Sum(KineticOf);

    internal double PotentialEnergy => Enumerable.Range(0, Count).Sum(PotentialOf);

    /// <summary>The sum of all bodies' momentum along each axis.</summary>
    internal IEnumerable<double> Momentum => _velocities.Select(axis => axis.Sum() * _mass);

    internal void Advance()
    {
        Kick();
        foreach ((double[] position, double[] velocity) in _positions.Zip(_velocities))
        {
            for (int body = 0; body < Count; body++) position[body] += velocity[body] * Step;
        }

        Attract();
        Kick();
    }

    /// <summary>What the sample calls the checksum of its final state.</summary>
    internal string Checksum()
    {
        XxHash64 hash = new();
        foreach ((double[] position, double[] velocity) in _positions.Zip(_velocities))
        {
            hash.Append(MemoryMarshal.AsBytes(position.AsSpan()));
            hash.Append(MemoryMarshal.AsBytes(velocity.AsSpan()));
        }

        return Convert.ToHexStringLower(hash.GetCurrentHash());
    }

    /// <summary>
    /// The results file of so many steps, from here on, where each fiber has so many bodies.
    /// </summary>
    internal string ResultsOf(int steps, int bodiesPerFiber)
    {
        StringBuilder text = new();
        double first = 0;
        for (int step = 0; step <= steps; step++)
        {
            if (step > 0) Advance();
            double kinetic = Sum(bodiesPerFiber, KineticOf), potential = Sum(bodiesPerFiber, PotentialOf);
            if (step == 0) first = kinetic + potential;
            double drift = (kinetic + potential - first) / Math.Abs(first);
            text.Append(CultureInfo.InvariantCulture, $"{step} {kinetic:R} {potential:R} {drift:E3}\n");
        }

        return text.ToString();
    }

    /// <summary>Each fiber's part is rounded to a multiple of 2^-56; these add up without error.</summary>
    private double Sum(int bodiesPerFiber, Func<int, double> energyOf)
    {
        decimal sum = 0;
        foreach (int[] bodies in Enumerable.Range(0, Count).Chunk(bodiesPerFiber))
        {
            double part = 0;
            foreach (int body in bodies) part += energyOf(body);
            sum += (decimal)Math.Round(part * Math.Pow(2, 56));
        }

        return (double)sum / Math.Pow(2, 56);
    }

    private double KineticOf(int body)
    {
        double x = _velocities[0][body], y = _velocities[1][body], z = _velocities[2][body];
        return 0.5 * _mass * (x * x + y * y + z * z);
    }

    /// <summary>Half of it belongs to the others; what the body does to itself is taken out again.</summary>
    private double PotentialOf(int body) =>
        0.5 * _mass * (_potentials[body] + _mass / Math.Sqrt(SofteningSquared));

    private void Kick()
    {
        foreach ((double[] velocity, double[] acceleration) in _velocities.Zip(_accelerations))
        {
            for (int body = 0; body < Count; body++) velocity[body] += acceleration[body] * (Step / 2);
        }
    }

    private void Attract()
    {
        for (int body = 0; body < Count; body++)
        {
            double ax = 0, ay = 0, az = 0, potential = 0;
            for (int other = 0; other < Count; other++)
            {
                double dx = _positions[0][other] - _positions[0][body];
                double dy = _positions[1][other] - _positions[1][body];
                double dz = _positions[2][other] - _positions[2][body];
                double near = 1 / Math.Sqrt(dx * dx + dy * dy + dz * dz + SofteningSquared);
                ax += dx * (near * _mass * (near * near));
                ay += dy * (near * _mass * (near * near));
                az += dz * (near * _mass * (near * near));
                potential -= near * _mass;
            }

            (_accelerations[0][body], _accelerations[1][body], _accelerations[2][body]) = (ax, ay, az);
            _potentials[body] = potential;
        }
    }
}
