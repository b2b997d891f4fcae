namespace Snapshot.Bench;

/// <summary>One picture, described without any library's types.</summary>
/// <param name="X">With <see cref="PlotAxis.Labels"/>, series are bars, one group a label, stacked.</param>
internal sealed record Plot(string Title, PlotAxis X, PlotAxis Y, IReadOnlyList<PlotSeries> Series)
{
    /// <summary>
    /// Lines of one point each are no lines: a bar a series instead, unless the bars would need a logarithm.
    /// </summary>
    internal Plot WithoutNeedlessAxis()
    {
        double[] places = [.. Series.SelectMany(series => series.Points.Select(point => point.X)).Distinct()];
        IEnumerable<double> heights = Series.SelectMany(series => series.Points.Select(point => point.Y));
        if (X.Labels is not null || places.Length != 1 || PlotAxis.NeedsLogarithm(heights)) return this;
        return new Plot(
            Title, new PlotAxis("", [.. Series.Select(series => series.Name)]),
            new PlotAxis($"{Y.Title} ({X.Title}: {Figures.Text(places[0])})"),
            [
                .. Bars("measured", isBaseline: false),
                .. Bars("baseline", isBaseline: true),
            ]);

        IEnumerable<PlotSeries> Bars(string name, bool isBaseline)
        {
            (double, double)[] bars =
            [
                .. Series.Index().Where(series => series.Item.IsBaseline == isBaseline)
                    .Select(series => ((double)series.Index, series.Item.Points[0].Y)),
            ];
            if (bars.Length > 0) yield return new PlotSeries(name, bars, isBaseline);
        }
    }
}

/// <summary>An axis and its unit.</summary>
/// <param name="Labels">What stands at 0, 1, 2…, where it is no quantity.</param>
internal sealed record PlotAxis(string Title, IReadOnlyList<string>? Labels = null)
{
    /// <summary>
    /// Whether a logarithm is needed to see all of these: they span more than a decade and a half.
    /// </summary>
    internal static bool NeedsLogarithm(IEnumerable<double> values)
    {
        double[] all = [.. values.Where(double.IsFinite)];
        return all.Length > 1 && all.Min() > 0 && all.Max() / all.Min() > 30;
    }
}

/// <summary>Points of one line, or heights of one part of each bar.</summary>
/// <param name="IsBaseline">
/// What the hardware or the kernel does: drawn dashed, or as a mark beside a bar.
/// </param>
internal sealed record PlotSeries(
    string Name, IReadOnlyList<(double X, double Y)> Points, bool IsBaseline = false)
{
    /// <summary>
    /// One line a key, points in the order of X; where nothing was measured there is no point.
    /// </summary>
    internal static IEnumerable<PlotSeries> Group<TRow>(
        IEnumerable<TRow> rows, Func<TRow, string> name, Func<TRow, double> x, Func<TRow, double?> y,
        bool isBaseline = false) =>
        rows.Where(row => y(row) is { } value && double.IsFinite(value))
            .GroupBy(name)
            .Select(group => new PlotSeries(
                group.Key, [.. group.OrderBy(x).Select(row => (x(row), y(row)!.Value))], isBaseline));
}
