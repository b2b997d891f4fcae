using System.Runtime.Intrinsics;

namespace NBody;

/// <summary>What pulls the bodies of a pack, so far: accelerations and potentials.</summary>
internal struct Pull
{
    internal Vector256<double> X;
    internal Vector256<double> Y;
    internal Vector256<double> Z;
    internal Vector256<double> Potential;
}

/// <summary>
/// Softened gravity by direct summation, with G = 1, and the kick-drift-kick leapfrog. A pack of bodies is
/// computed together, one body a lane.
/// </summary>
/// <remarks>
/// Each lane sums over the bodies in their order, so a result depends neither on the machine nor on how the
/// bodies are shared out. Ordinary code: between two awaits of a fiber it runs at full speed.
/// </remarks>
internal static unsafe class Gravity
{
    internal const int PackSize = 4;
    internal const double TimeStep = 1.0 / 256;
    internal const double Softening = 1.0 / 32;

    /// <summary>Adds the pull of the bodies from <paramref name="from"/> to <paramref name="end"/>.</summary>
    internal static void Add(ref Cluster cluster, int pack, int from, int end, ref Pull pull)
    {
        double* xs = cluster.X.Position.Pointer;
        double* ys = cluster.Y.Position.Pointer;
        double* zs = cluster.Z.Position.Pointer;
        double* masses = cluster.Mass.Pointer;
        Vector256<double> x = Vector256.Load(xs + pack * PackSize);
        Vector256<double> y = Vector256.Load(ys + pack * PackSize);
        Vector256<double> z = Vector256.Load(zs + pack * PackSize);
        Vector256<double> softening = Vector256.Create(Softening * Softening);
        Pull sum = pull;
        for (int other = from; other < end; other++)
        {
            Vector256<double> dx = Vector256.Create(xs[other]) - x;
            Vector256<double> dy = Vector256.Create(ys[other]) - y;
            Vector256<double> dz = Vector256.Create(zs[other]) - z;
            Vector256<double> near =
                Vector256<double>.One / Vector256.Sqrt(dx * dx + dy * dy + dz * dz + softening);
            Vector256<double> potential = near * masses[other];
            Vector256<double> strength = potential * (near * near);
            sum.X += dx * strength;
            sum.Y += dy * strength;
            sum.Z += dz * strength;
            sum.Potential -= potential;
        }

        pull = sum;
    }

    /// <summary>Makes a complete pull the accelerations of a pack.</summary>
    /// <returns>The pack's part of the potential energy.</returns>
    internal static double Settle(ref Cluster cluster, int pack, in Pull pull)
    {
        int first = pack * PackSize;
        pull.X.Store(cluster.X.Acceleration.Pointer + first);
        pull.Y.Store(cluster.Y.Acceleration.Pointer + first);
        pull.Z.Store(cluster.Z.Acceleration.Pointer + first);
        double energy = 0;
        for (int lane = 0; lane < PackSize; lane++)
        {
            // Each body has been counted as its own neighbour, too, and each pair counts half from either
            // side.
            double mass = cluster.Mass[first + lane];
            energy += 0.5 * mass * (pull.Potential[lane] + mass / Softening);
        }

        return energy;
    }

    /// <summary>Half a step of the velocities, then a step of the positions.</summary>
    internal static void KickAndDrift(ref Cluster cluster, in Tile tile)
    {
        Kick(ref cluster, tile);
        Drift(ref cluster.X, tile);
        Drift(ref cluster.Y, tile);
        Drift(ref cluster.Z, tile);
    }

    /// <summary>Half a step of the velocities.</summary>
    internal static void Kick(ref Cluster cluster, in Tile tile)
    {
        Kick(ref cluster.X, tile);
        Kick(ref cluster.Y, tile);
        Kick(ref cluster.Z, tile);
    }

    /// <summary>The kinetic energy of a tile.</summary>
    internal static double KineticEnergy(ref Cluster cluster, in Tile tile)
    {
        double energy = 0;
        for (int body = tile.FirstPack * PackSize; body < tile.EndPack * PackSize; body++)
        {
            (double x, double y, double z) =
                (cluster.X.Velocity[body], cluster.Y.Velocity[body], cluster.Z.Velocity[body]);
            energy += 0.5 * cluster.Mass[body] * (x * x + y * y + z * z);
        }

        return energy;
    }

    private static void Kick(ref Axis axis, in Tile tile)
    {
        for (int body = tile.FirstPack * PackSize; body < tile.EndPack * PackSize; body++)
            axis.Velocity[body] += axis.Acceleration[body] * (TimeStep / 2);
    }

    private static void Drift(ref Axis axis, in Tile tile)
    {
        for (int body = tile.FirstPack * PackSize; body < tile.EndPack * PackSize; body++)
            axis.Position[body] += axis.Velocity[body] * TimeStep;
    }
}
