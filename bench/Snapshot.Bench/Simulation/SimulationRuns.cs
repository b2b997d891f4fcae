namespace Snapshot.Bench;

/// <summary>Many lives of one job, each with failures of its own seed.</summary>
internal sealed class SimulationRuns
{
    /// <summary>Of the normal distribution: 95 % lie within so many deviations.</summary>
    private const double Deviations = 1.96;

    private readonly SimulatedTimes[] _runs;

    internal SimulationRuns(SimulatedJob job, int repetitions, int seed)
    {
        Job = job;
        _runs =
        [
            .. Enumerable.Range(0, repetitions).Select(
                run => JobSimulation.Run(job, new RandomHostFailures(job, HashCode(seed, run)))),
        ];
    }

    internal SimulatedJob Job { get; }

    internal double MeanWall => _runs.Average(run => run.Wall);

    /// <summary>Half of the interval that holds the true mean with 95 %.</summary>
    internal double WallError => Error(run => run.Wall - MeanWall);

    /// <summary>What fraction of the time computes what is not lost.</summary>
    internal double Computes => Share(run => run.Useful);

    /// <summary>As of a quotient of two means: half of the interval that holds it with 95 %.</summary>
    internal double ComputesError
    {
        get
        {
            double computes = Computes;
            return Error(run => run.Useful - computes * run.Wall) / MeanWall;
        }
    }

    /// <summary>The deviation of one run's fraction from another's.</summary>
    internal double ComputesDeviation => ComputesError * Math.Sqrt(_runs.Length) / Deviations;

    internal double EndedShare => _runs.Average(run => run.HasEnded ? 1.0 : 0);

    /// <summary>The mean of a figure over the runs.</summary>
    internal double Mean(Func<SimulatedTimes, double> figure) => _runs.Average(figure);

    /// <summary>The part of all time that a figure takes.</summary>
    internal double Share(Func<SimulatedTimes, double> figure) =>
        _runs.Sum(figure) / _runs.Sum(run => run.Wall);

    private double Error(Func<SimulatedTimes, double> difference)
    {
        double variance = _runs.Sum(run => Math.Pow(difference(run), 2)) / Math.Max(1, _runs.Length - 1);
        return Deviations * Math.Sqrt(variance / _runs.Length);
    }

    /// <summary>The same in each process, unlike .NET's.</summary>
    private static int HashCode(int seed, int run) => unchecked(seed * 1_000_003 + run * 7919);
}
