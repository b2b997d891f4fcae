namespace Snapshot.Bench;

/// <summary>
/// What is known in closed form of checkpoints that stop the program and count when they end, on a machine
/// that fails at a constant rate and never loses them. Times are in one unit.
/// </summary>
/// <remarks>
/// J. W. Young, A first order approximation to the optimum checkpoint interval, CACM 17 (1974); J. T. Daly, A
/// higher order estimate of the optimum checkpoint interval for restart dumps, FGCS 22 (2006).
/// </remarks>
internal static class CheckpointFormulas
{
    /// <summary>Young's interval, which is Daly's of the first order.</summary>
    internal static double Young(double felt, double mtbf) => Math.Sqrt(2 * felt * mtbf);

    /// <summary>Daly's interval of higher order.</summary>
    internal static double Daly(double felt, double mtbf)
    {
        if (felt >= 2 * mtbf) return mtbf;
        double part = felt / (2 * mtbf);
        return Young(felt, mtbf) * (1 + Math.Sqrt(part) / 3 + part / 9) - felt;
    }

    /// <summary>
    /// The fraction of the time that computes: a failure costs half an interval, and a restart.
    /// </summary>
    internal static double FirstOrder(double interval, double felt, double restart, double mtbf) =>
        1 / (1 + felt / interval + (interval / 2 + restart) / mtbf);

    /// <summary>The same as Daly has it: exact, with failures in checkpoints and restarts too.</summary>
    internal static double Exact(double interval, double felt, double restart, double mtbf) =>
        interval / (mtbf * Math.Exp(restart / mtbf) * (Math.Exp((interval + felt) / mtbf) - 1));
}
