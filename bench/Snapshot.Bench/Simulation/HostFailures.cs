namespace Snapshot.Bench;

/// <summary>A host fails at a moment.</summary>
/// <param name="Time">When.</param>
/// <param name="Host">Which.</param>
/// <param name="LostDisks">0: it comes back with its disk; 1: its disk is lost; 2: also that of the next
/// host, its partner, for they share a power supply or the like.</param>
internal readonly record struct HostFailure(double Time, int Host, int LostDisks);

/// <summary>The failures of a job, in the order of their times.</summary>
internal interface IHostFailures
{
    internal HostFailure Next();
}

/// <summary>
/// Each host fails at the same constant rate: so all together fail at that of their number, and each is as
/// likely as another. What this costs does not grow with the hosts.
/// </summary>
internal sealed class RandomHostFailures(SimulatedJob job, int seed) : IHostFailures
{
    private readonly Random _random = new(seed);
    private double _time;

    HostFailure IHostFailures.Next()
    {
        _time += job.Mtbf * -Math.Log(1 - _random.NextDouble());
        int host = _random.Next(job.Hosts);
        int lost = _random.NextDouble() < job.KeepsDisk ? 0 : _random.NextDouble() < job.LosesPair ? 2 : 1;
        return new HostFailure(_time, host, lost);
    }
}
