using System.Globalization;
using System.Text;
using OxyPlot;
using OxyPlot.Axes;
using OxyPlot.Legends;
using OxyPlot.Series;

namespace Snapshot.Bench;

/// <summary>Draws plots as SVG, one below the other; needs neither a screen nor a native library.</summary>
internal static class SvgPlot
{
    private const int Width = 960, Height = 480;
    private const double FontSize = 13;

    private static readonly OxyColor[] s_colors =
    [
        OxyColor.FromRgb(0x1f, 0x77, 0xb4), OxyColor.FromRgb(0xd6, 0x27, 0x28),
        OxyColor.FromRgb(0x2c, 0xa0, 0x2c),
        OxyColor.FromRgb(0xff, 0x7f, 0x0e), OxyColor.FromRgb(0x94, 0x67, 0xbd),
        OxyColor.FromRgb(0x17, 0xbe, 0xcf),
        OxyColor.FromRgb(0x8c, 0x56, 0x4b), OxyColor.FromRgb(0xe3, 0x77, 0xc2),
        OxyColor.FromRgb(0xbc, 0xbd, 0x22),
    ];

    private static readonly OxyColor[] s_grays =
        [OxyColor.FromRgb(0x30, 0x30, 0x30), OxyColor.FromRgb(0x70, 0x70, 0x70),
            OxyColor.FromRgb(0xa0, 0xa0, 0xa0)];

    private static readonly MarkerType[] s_markers =
        [MarkerType.Circle, MarkerType.Square, MarkerType.Triangle, MarkerType.Diamond];

    internal static string Draw(IReadOnlyList<Plot> plots)
    {
        StringBuilder text = new();
        text.Append(
            CultureInfo.InvariantCulture, $"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{Width}\" ");
        text.Append(CultureInfo.InvariantCulture, $"height=\"{Height * plots.Count}\" ");
        text.Append(CultureInfo.InvariantCulture, $"viewBox=\"0 0 {Width} {Height * plots.Count}\">\n");
        text.Append(
            CultureInfo.InvariantCulture, $"<rect width=\"{Width}\" height=\"{Height * plots.Count}\" ");
        text.Append("fill=\"#ffffff\" />\n");
        for (int index = 0; index < plots.Count; index++)
        {
            text.Append(CultureInfo.InvariantCulture, $"<g transform=\"translate(0,{index * Height})\">\n");
            text.Append(Draw(plots[index].WithoutNeedlessAxis()));
            text.Append("</g>\n");
        }

        return text.Append("</svg>\n").ToString();
    }

    private static string Draw(Plot plot)
    {
        SvgExporter exporter = new()
        {
            Width = Width,
            Height = Height,
            IsDocument = false,
            TextMeasurer = new RoomyText(),
        };
        string text = exporter.ExportToString(ModelOf(plot));

        // What stands before the element belongs to a document.
        IEnumerable<string> lines =
            PlainSvg.Of(text[text.IndexOf("<svg", StringComparison.Ordinal)..]).Split('\n');
        return string.Join('\n', lines.Select(line => line.TrimEnd()));
    }

    private static PlotModel ModelOf(Plot plot)
    {
        PlotModel model = new()
        {
            Title = plot.Title,
            TitleFontSize = FontSize + 3,
            DefaultFont = "Arial, Helvetica, sans-serif",
            DefaultFontSize = FontSize,
            Background = OxyColors.White,
            PlotAreaBorderColor = OxyColors.Gray,
        };
        model.Legends.Add(new Legend
        {
            LegendPlacement = LegendPlacement.Outside,
            LegendPosition = LegendPosition.RightTop,
            LegendFontSize = FontSize,
        });
        if (plot.X.Labels is { } labels) AddBars(model, plot, labels);
        else AddLines(model, plot);
        return model;
    }

    private static void AddLines(PlotModel model, Plot plot)
    {
        (double X, double Y)[] points = [.. plot.Series.SelectMany(series => series.Points)];
        model.Axes.Add(QuantityAxis.Of(plot.X.Title, AxisPosition.Bottom, points.Select(point => point.X)));
        model.Axes.Add(QuantityAxis.Of(plot.Y.Title, AxisPosition.Left, points.Select(point => point.Y)));
        int measured = 0, baselines = 0;
        foreach (PlotSeries series in plot.Series)
        {
            int index = series.IsBaseline ? baselines++ : measured++;
            OxyColor color =
                series.IsBaseline ? s_grays[index % s_grays.Length] : s_colors[index % s_colors.Length];
            LineSeries line = new()
            {
                Title = series.Name,
                Color = color,
                LineStyle = series.IsBaseline ? LineStyle.Dash : LineStyle.Solid,
                StrokeThickness = series.IsBaseline ? 1.5 : 2.5,
                MarkerType = s_markers[(index + (index / s_colors.Length)) % s_markers.Length],
                MarkerSize = 4,
                MarkerFill = color,
            };
            line.Points.AddRange(series.Points.Select(point => new DataPoint(point.X, point.Y)));
            model.Series.Add(line);
        }
    }

    /// <summary>Bars lie: labels of any length are readable beside them.</summary>
    private static void AddBars(PlotModel model, Plot plot, IReadOnlyList<string> labels)
    {
        CategoryAxis category = new()
        {
            Position = AxisPosition.Left,
            Title = plot.X.Title.Length > 0 ? plot.X.Title : null,
            StartPosition = 1,
            EndPosition = 0,
            GapWidth = 0.6,
        };
        category.Labels.AddRange(labels);
        model.Axes.Add(category);
        model.Axes.Add(new LinearAxis
        {
            Position = AxisPosition.Bottom,
            Title = plot.Y.Title,
            MajorGridlineStyle = LineStyle.Solid,
            MajorGridlineColor = OxyColors.LightGray,
            AxisTitleDistance = 10,
            MinimumPadding = 0,
            MaximumPadding = 0.05,
        });
        int measured = 0, baselines = 0;
        foreach (PlotSeries series in plot.Series)
        {
            if (series.IsBaseline)
            {
                ScatterSeries marks = new()
                {
                    Title = series.Name,
                    MarkerType = MarkerType.Diamond,
                    MarkerSize = 6,
                    MarkerFill = s_grays[baselines++ % s_grays.Length],
                };
                marks.Points.AddRange(series.Points.Select(point => new ScatterPoint(point.Y, point.X)));
                model.Series.Add(marks);
                continue;
            }

            BarSeries bars = new()
            {
                Title = series.Name,
                IsStacked = true,
                StackGroup = "measured",
                FillColor = s_colors[measured++ % s_colors.Length],
            };
            bars.Items.AddRange(series.Points.Select(point => new BarItem(point.Y, (int)point.X)));
            model.Series.Add(bars);
        }
    }

    /// <summary>
    /// Leaves room for the widest of the fonts that a viewer may have: its choice is not known here.
    /// </summary>
    private sealed class RoomyText() : PdfRenderContext(Width, Height, OxyColors.White)
    {
        public override OxySize MeasureText(
            string text, string fontFamily, double fontSize, double fontWeight)
        {
            OxySize size = base.MeasureText(text, fontFamily, fontSize, fontWeight);
            return new OxySize(size.Width * 1.5, size.Height * 1.2);
        }
    }
}
