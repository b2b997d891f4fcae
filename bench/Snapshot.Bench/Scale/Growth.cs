namespace Snapshot.Bench;

/// <summary>
/// How a figure grows with a quantity: as c × quantity^exponent, by least squares of the logarithms.
/// </summary>
/// <param name="Exponent">0: not at all; 1: in proportion.</param>
/// <param name="Coefficient">The figure where the quantity is 1.</param>
internal readonly record struct Growth(double Exponent, double Coefficient)
{
    /// <summary>Null where fewer than two different quantities have a figure above 0.</summary>
    internal static Growth? Of(IEnumerable<(double Quantity, double Figure)> points)
    {
        (double X, double Y)[] logarithms =
        [
            .. points.Where(point => point.Quantity > 0 && point.Figure > 0 && double.IsFinite(point.Figure))
                .Select(point => (Math.Log(point.Quantity), Math.Log(point.Figure))),
        ];
        if (logarithms.DistinctBy(point => point.X).Count() < 2) return null;
        double x = logarithms.Average(point => point.X), y = logarithms.Average(point => point.Y);
        double exponent = logarithms.Sum(point => (point.X - x) * (point.Y - y)) /
            logarithms.Sum(point => (point.X - x) * (point.X - x));
        return new Growth(exponent, Math.Exp(y - exponent * x));
    }

    /// <summary>The figure at a quantity, also at one that was not measured.</summary>
    internal double At(double quantity) => Coefficient * Math.Pow(quantity, Exponent);
}
