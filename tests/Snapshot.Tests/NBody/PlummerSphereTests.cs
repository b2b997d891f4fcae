using NBody;
using Xunit;

namespace Snapshot.Tests.NBody;

/// <summary>
/// The initial bodies, and that the plain cluster, by which the sample is judged, obeys physics.
/// </summary>
public sealed class PlummerSphereTests
{
    [Fact]
    public void The_bodies_are_a_cluster_in_equilibrium_at_rest()
    {
        PlainCluster cluster = new(2000);
        Assert.InRange(cluster.KineticEnergy, 0.23, 0.27);
        Assert.InRange(cluster.PotentialEnergy, -0.54, -0.46);
        Assert.All(cluster.Momentum, momentum => Assert.InRange(momentum, -1e-15, 1e-15));
    }

    [Fact]
    public void The_same_number_of_bodies_are_the_same_bodies() =>
        Assert.Equal(PlummerSphere.Draw(100), PlummerSphere.Draw(100));

    [Fact]
    public void Energy_and_momentum_are_kept()
    {
        PlainCluster cluster = new(200);
        double before = cluster.KineticEnergy + cluster.PotentialEnergy;
        for (int step = 0; step < 200; step++) cluster.Advance();
        double drift = (cluster.KineticEnergy + cluster.PotentialEnergy - before) / before;
        Assert.InRange(Math.Abs(drift), 0, 1e-4);
        Assert.All(cluster.Momentum, momentum => Assert.InRange(momentum, -1e-13, 1e-13));
    }
}
