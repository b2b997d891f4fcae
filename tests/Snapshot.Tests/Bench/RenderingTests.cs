using System.Text.Json.Nodes;
using System.Xml.Linq;
using Snapshot.Bench;
using Xunit;

namespace Snapshot.Tests.Bench;

/// <summary>What the bench prints and draws.</summary>
public sealed class RenderingTests
{
    private static readonly IReadOnlyList<Column<(string Name, double? Value)>> s_columns =
    [
        new("name", "name", row => row.Name),
        new("ms", "valueMs", row => row.Value),
        new(null, "onlyJson", row => row.Name.Length),
    ];

    private static readonly IReadOnlyList<(string, double?)> s_rows = [("a|b", 1234.5), ("c", null),
        ("d", 0.01234)];

    [Theory]
    [InlineData(1234.4, "1234")]
    [InlineData(99.97, "100")]
    [InlineData(12.34, "12.3")]
    [InlineData(1.234, "1.23")]
    [InlineData(0.1234, "0.123")]
    [InlineData(0.012344, "0.0123")]
    [InlineData(0.0000589, "0.0000589")]
    [InlineData(-12.34, "-12.3")]
    [InlineData(0.0, "0.00")]
    [InlineData(double.NaN, "-")]
    public void Numbers_have_three_digits_that_count(double value, string text) =>
        Assert.Equal(text, Figures.Text((object)value));

    [Fact]
    public void Numbers_stand_right_in_Markdown_and_bars_are_escaped() =>
        Assert.Equal(
            "| name | ms |\n| --- | ---: |\n| a\\|b | 1234 |\n| c | - |\n| d | 0.0123 |\n",
            TextTable.Of(s_rows, s_columns).ToMarkdown());

    [Fact]
    public void The_same_columns_are_the_fields_of_JSON()
    {
        JsonNode json = ScenarioReport.Of(s_rows, s_columns, note: "").Json;
        Assert.Equal(
            """[{"name":"a|b","valueMs":1234.5,"onlyJson":3},{"name":"c","valueMs":null,"onlyJson":1},""" +
            """{"name":"d","valueMs":0.01234,"onlyJson":1}]""",
            json.ToJsonString());
    }

    [Fact]
    public void The_median_of_an_even_number_lies_between() =>
        Assert.Equal(2.5, Figures.Median([4, 1, 3, 2]));

    [Theory]
    [InlineData(true, 0.1, 100.0)]
    [InlineData(false, 1.0, 20.0)]
    [InlineData(false, 0.0, 1000.0)]
    [InlineData(false, 5.0)]
    public void An_axis_is_logarithmic_when_its_values_need_it(bool needs, params double[] values) =>
        Assert.Equal(needs, PlotAxis.NeedsLogarithm(values));

    [Fact]
    public void A_plot_is_an_SVG_with_its_title_axes_units_and_legend()
    {
        Plot lines = new(
            "Pause", new PlotAxis("written, %"), new PlotAxis("milliseconds"),
            [
                new PlotSeries("Stage", [(1, 0.5), (10, 5), (100, 50)]),
                new PlotSeries("memcpy", [(1, 0.4), (10, 4), (100, 40)], IsBaseline: true),
            ]);
        Plot bars = new(
            "Cost", new PlotAxis("", ["stencil", "random"]), new PlotAxis("seconds"),
            [
                new PlotSeries("faults", [(0, 1), (1, 2)]), new PlotSeries("pauses", [(0, 3), (1, 4)]),
                new PlotSeries("copy", [(0, 2), (1, 2)], IsBaseline: true),
            ]);
        XDocument svg = XDocument.Parse(SvgPlot.Draw([lines, bars]));
        string[] texts = [.. svg.Descendants().Where(node => node.Name.LocalName == "text").Select(
            node => node.Value)];
        Assert.All(
            (string[])["Pause", "written, %", "milliseconds", "Stage", "memcpy", "1", "10", "100"],
            text => Assert.Contains(text, texts));
        Assert.All(
            (string[])["Cost", "stencil", "random", "seconds", "faults", "pauses", "copy"],
            text => Assert.Contains(text, texts));
    }

    [Fact]
    public void A_plot_needs_no_style_and_no_background_of_its_renderer()
    {
        XDocument svg = XDocument.Parse(SvgPlot.Draw([new Plot(
            "Pause", new PlotAxis("written, %"), new PlotAxis("milliseconds"),
            [
                new PlotSeries("Stage", [(1, 0.5), (10, 5), (100, 50)]),
                new PlotSeries("memcpy", [(1, 0.4), (10, 4), (100, 40)], IsBaseline: true),
            ])]));
        Assert.DoesNotContain(svg.Descendants().Attributes(), found =>
            found.Name.LocalName is "style" or "class" or "dominant-baseline" or "dy" or "clip-path" or "id"
            || found.Value.Contains("rgb(", StringComparison.Ordinal));
        Assert.Single(svg.Descendants(), node => node.Name.LocalName == "svg");
        XElement back = svg.Root!.Elements().First();
        Assert.Equal(("rect", "#ffffff"), (back.Name.LocalName, back.Attribute("fill")!.Value));
        Assert.Equal(svg.Root.Attribute("width")!.Value, back.Attribute("width")!.Value);
        Assert.Equal(svg.Root.Attribute("height")!.Value, back.Attribute("height")!.Value);
        Assert.All(
            svg.Descendants().Where(node => node.Name.LocalName is "polyline" or "ellipse" or "polygon"),
            line => Assert.NotNull(line.Attribute("stroke")));
        Assert.All(
            svg.Descendants().Where(node => node.Name.LocalName == "text"),
            text =>
            {
                Assert.Matches("^(black|#[0-9a-f]{6})$", text.Attribute("fill")?.Value ?? "none");
                Assert.Equal("none", text.Attribute("stroke")?.Value);
            });
    }

    [Theory]
    [InlineData(
        "<a style=\"fill:none;stroke:rgb(1,2,255);stroke-width:2\" />",
        "<a fill=\"none\" stroke=\"#0102ff\" stroke-width=\"2\" />")]
    [InlineData(
        "<a dominant-baseline=\"middle\" font-size=\"20\">x</a>", "<a font-size=\"20\" y=\"7\">x</a>")]
    [InlineData(
        "<a dominant-baseline=\"hanging\" font-size=\"20\">x</a>", "<a font-size=\"20\" y=\"15\">x</a>")]
    [InlineData("<a dominant-baseline=\"ideographic\" font-size=\"20\">x</a>", "<a font-size=\"20\">x</a>")]
    public void Styles_become_attributes(string drawn, string plain) =>
        Assert.Equal(plain, PlainSvg.Of(drawn));

    [Fact]
    public void Lines_of_one_point_become_bars()
    {
        Plot plot = new Plot(
            "Speed", new PlotAxis("written, %"), new PlotAxis("GB/s"),
            [new PlotSeries("Stage", [(100, 1.5)]), new PlotSeries("dd", [(100, 2)], IsBaseline: true)])
            .WithoutNeedlessAxis();
        Assert.Equal(["Stage", "dd"], plot.X.Labels!);
        Assert.Equal([(0.0, 1.5)], plot.Series[0].Points);
        Assert.Equal([(1.0, 2.0)], plot.Series[1].Points);
        Assert.Contains("written, %: 100", plot.Y.Title, StringComparison.Ordinal);
    }

    [Fact]
    public void Huge_pages_are_counted_in_the_mappings_of_the_range_only()
    {
        string[] smaps =
        [
            "1000-3000 rw-p 00000000 00:00 0 [anon:before]", "Rss: 8 kB", "AnonHugePages: 8 kB",
            "VmFlags: rd wr",
            "200000-400000 rw-p 00000000 00:00 0 [anon:snapshot:a]", "Rss: 3000 kB", "AnonHugePages: 2048 kB",
            "400000-600000 rw-p 00000000 00:00 0 [anon:snapshot:a]", "Rss: 1096 kB", "AnonHugePages: 0 kB",
            "600000-800000 rw-p 00000000 00:00 0", "Rss: 2048 kB", "AnonHugePages: 2048 kB",
        ];
        Assert.Equal(50, HugePageShare.Percent(smaps, 0x200000, 0x600000));
        Assert.Equal(double.NaN, HugePageShare.Percent(smaps, 0x900000, 0xa00000));
    }

    [Fact]
    public void The_file_system_is_that_of_the_nearest_mount_point()
    {
        string[] mounts =
        [
            "21 1 254:0 / / rw - ext4 /dev/vda rw",
            "22 21 0:5 / /data rw shared:1 - xfs /dev/vdb rw",
            "23 22 0:6 / /data/fast\\040disk rw - tmpfs none rw",
        ];
        Assert.Equal("ext4", MachineDescription.FileSystemOf("/database", mounts));
        Assert.Equal("xfs", MachineDescription.FileSystemOf("/data/fast", mounts));
        Assert.Equal("tmpfs", MachineDescription.FileSystemOf("/data/fast disk/store", mounts));
    }
}
