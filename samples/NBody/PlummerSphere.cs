namespace NBody;

/// <summary>
/// A Plummer sphere in standard units (total mass 1, total energy -1/4), drawn as Aarseth, Hénon and Wielen
/// do it.
/// </summary>
internal static class PlummerSphere
{
    private const int Seed = 1974;

    /// <summary>Keeps the few that would be drawn very far out within reach.</summary>
    private const double RadiusMax = 10;

    /// <summary>
    /// The bodies, always the same for the same number; the centre of mass is at rest in the origin.
    /// </summary>
    internal static Body[] Draw(int count)
    {
        Random random = new(Seed);
        Body[] bodies = [.. Enumerable.Range(0, count).Select(_ => Draw(random))];
        Body mean = default;
        foreach (Body body in bodies) mean = mean.Plus(body, 1.0 / count);
        return [.. bodies.Select(body => body.Plus(mean, -1))];
    }

    private static Body Draw(Random random)
    {
        double radius;
        do radius = 1 / Math.Sqrt(Math.Pow(1 - random.NextDouble(), -2.0 / 3) - 1);
        while (radius > RadiusMax);

        double part, chance;
        do
        {
            part = random.NextDouble();
            chance = 0.1 * random.NextDouble();
        }
        while (chance > part * part * Math.Pow(1 - part * part, 3.5));

        double speed = part * Math.Sqrt(2) * Math.Pow(1 + radius * radius, -0.25);
        const double Scale = 3 * Math.PI / 16;
        (double x, double y, double z) = Direction(random, radius * Scale);
        (double vx, double vy, double vz) = Direction(random, speed / Math.Sqrt(Scale));
        return new Body(x, y, z, vx, vy, vz);
    }

    private static (double X, double Y, double Z) Direction(Random random, double length)
    {
        double z = (1 - 2 * random.NextDouble()) * length;
        double across = Math.Sqrt(length * length - z * z);
        (double sin, double cos) = Math.SinCos(2 * Math.PI * random.NextDouble());
        return (across * cos, across * sin, z);
    }
}

/// <summary>Where a body is and how it moves.</summary>
internal readonly record struct Body(double X, double Y, double Z, double Vx, double Vy, double Vz)
{
    internal Body Plus(Body other, double times) => new(
        X + other.X * times,
        Y + other.Y * times,
        Z + other.Z * times,
        Vx + other.Vx * times,
        Vy + other.Vy * times,
        Vz + other.Vz * times);
}
