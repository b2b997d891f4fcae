namespace Snapshot.Bench;

/// <summary>One picture, described without any library's types.</summary>
/// <param name="X">With <see cref="PlotAxis.Labels"/>, series are bars, one group a label, stacked.</param>
internal sealed record Plot(string Title, PlotAxis X, PlotAxis Y, IReadOnlyList<PlotSeries> Series);

/// <summary>An axis and its unit.</summary>
/// <param name="Labels">What stands at 0, 1, 2…, where it is no quantity.</param>
internal sealed record PlotAxis(string Title, IReadOnlyList<string>? Labels = null)
{
    /// <summary>Whether a logarithm is needed to see all of these: they span more than a decade and a half.</summary>
    internal static bool NeedsLogarithm(IEnumerable<double> values)
    {
        double[] all = [.. values.Where(double.IsFinite)];
        return all.Length > 1 && all.Min() > 0 && all.Max() / all.Min() > 30;
    }
}

/// <summary>Points of one line, or heights of one part of each bar.</summary>
/// <param name="IsBaseline">What the hardware or the kernel does: drawn dashed, or as a mark beside a bar.</param>
internal sealed record PlotSeries(string Name, IReadOnlyList<(double X, double Y)> Points, bool IsBaseline = false)
{
    /// <summary>One line a key, points in the order of X; where nothing was measured there is no point.</summary>
    internal static IEnumerable<PlotSeries> Group<TRow>(
        IEnumerable<TRow> rows, Func<TRow, string> name, Func<TRow, double> x, Func<TRow, double?> y,
        bool isBaseline = false) =>
        rows.Where(row => y(row) is { } value && double.IsFinite(value))
            .GroupBy(name)
            .Select(group => new PlotSeries(
                group.Key, [.. group.OrderBy(x).Select(row => (x(row), y(row)!.Value))], isBaseline));
}
