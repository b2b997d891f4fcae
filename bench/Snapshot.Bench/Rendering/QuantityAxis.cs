using OxyPlot;
using OxyPlot.Axes;

namespace Snapshot.Bench;

/// <summary>
/// Axes of quantities: logarithmic where the values need it, and with ticks at the values themselves where
/// there are few.
/// </summary>
internal static class QuantityAxis
{
    private const int FewTicks = 8;

    internal static Axis Of(string title, AxisPosition position, IEnumerable<double> values)
    {
        double[] all = [.. values.Where(double.IsFinite).Distinct().Order()];
        bool hasOwnTicks = position == AxisPosition.Bottom && all.Length is > 0 and <= FewTicks;
        double[]? ticks = hasOwnTicks ? all : null;
        Axis axis = PlotAxis.NeedsLogarithm(all) ? Logarithmic(all, ticks) : Linear(all, ticks);
        axis.Position = position;
        axis.Title = title;
        axis.AxisTitleDistance = 10;
        axis.MajorGridlineStyle = LineStyle.Solid;
        axis.MajorGridlineColor = OxyColors.LightGray;
        axis.StringFormat = "0.#####";
        return axis;
    }

    /// <summary>A little room on both sides, so that no mark sits on the frame.</summary>
    private static LogarithmicTicks Logarithmic(double[] values, double[]? ticks)
    {
        double room = Math.Pow(values[^1] / values[0], 0.05);
        return new LogarithmicTicks(ticks) { Minimum = values[0] / room, Maximum = values[^1] * room };
    }

    private static LinearTicks Linear(double[] values, double[]? ticks) =>
        new(ticks) { Minimum = 0, Maximum = values.Length == 0 ? 1 : values[^1] * 1.08 };

    private sealed class LogarithmicTicks(double[]? ticks) : LogarithmicAxis
    {
        public override void GetTickValues(
            out IList<double> majorLabelValues, out IList<double> majorTickValues,
            out IList<double> minorTickValues)
        {
            base.GetTickValues(out majorLabelValues, out majorTickValues, out minorTickValues);
            if (ticks is not null) (majorLabelValues, majorTickValues, minorTickValues) = (ticks, ticks, []);
        }
    }

    private sealed class LinearTicks(double[]? ticks) : LinearAxis
    {
        public override void GetTickValues(
            out IList<double> majorLabelValues, out IList<double> majorTickValues,
            out IList<double> minorTickValues)
        {
            base.GetTickValues(out majorLabelValues, out majorTickValues, out minorTickValues);
            if (ticks is not null) (majorLabelValues, majorTickValues, minorTickValues) = (ticks, ticks, []);
        }
    }
}
