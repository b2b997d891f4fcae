using Spectre.Console;
using Spectre.Console.Rendering;

namespace Snapshot.Tool.Output;

/// <summary>The look of what the tool prints: bold heads, one thin rule, no boxes.</summary>
internal static class Tables
{
    /// <summary>A terminal with fewer columns has none to spare between those of a table.</summary>
    private const int WidthForPadding = 80;

    /// <param name="columns">
    /// The heads; one that begins with '&gt;' is aligned to the right and never folded.
    /// </param>
    internal static Table Create(params ReadOnlySpan<string> columns)
    {
        Table table = new() { Border = TableBorder.Simple, BorderStyle = new Style(Color.Grey) };
        foreach (string column in columns)
        {
            bool right = column.StartsWith('>');
            TableColumn added = new TableColumn(
                new Text(right ? column[1..] : column, new Style(decoration: Decoration.Bold))).NoWrap();
            table.AddColumn(right ? added.RightAligned() : added);
        }

        return table;
    }

    /// <summary>Lets a column that may be long be folded.</summary>
    internal static Table Folding(this Table table, int column)
    {
        table.Columns[column].NoWrap = false;
        return table;
    }

    /// <summary>Adds a row of plain text.</summary>
    internal static void Add(this Table table, params ReadOnlySpan<string> cells)
    {
        List<Text> row = [];
        foreach (string cell in cells) row.Add(new Text(Readable.Plain(cell)));
        table.AddRow(row);
    }

    /// <summary>Prints a table without the empty lines that its border has above and below.</summary>
    internal static void Print(this IAnsiConsole console, Table table)
    {
        if (console.Profile.Width < WidthForPadding)
        {
            foreach (TableColumn column in table.Columns) column.Padding = new Padding(0, 0);
        }

        console.Write(new WithoutOuterLines(table));
    }

    internal static void Heading(this IAnsiConsole console, string text) =>
        console.Write(new Text(Readable.Plain(text) + "\n", new Style(decoration: Decoration.Bold)));

    internal static void Line(this IAnsiConsole console, string text) =>
        console.Write(new Text(Readable.Plain(text) + "\n"));

    internal static void Good(this IAnsiConsole console, string text) =>
        console.Write(new Text(Readable.Plain(text) + "\n", new Style(Color.Green)));

    internal static void Bad(this IAnsiConsole console, string text) =>
        console.Write(new Text(Readable.Plain(text) + "\n", new Style(Color.Red)));

    /// <summary>Names on the left, values on the right; null values are left out.</summary>
    internal static void Facts(
        this IAnsiConsole console, params ReadOnlySpan<(string Name, string? Value)> facts)
    {
        Grid grid = new();
        grid.AddColumn(new GridColumn { NoWrap = true, Padding = new Padding(2, 0, 2, 0) });
        grid.AddColumn(new GridColumn { Padding = new Padding(0, 0, 0, 0) });
        foreach ((string name, string? value) in facts)
        {
            if (value is not null)
                grid.AddRow(new Text(name, new Style(Color.Grey)), new Text(Readable.Plain(value)));
        }

        console.Write(grid);
    }

    private sealed class WithoutOuterLines(Table table) : Renderable
    {
        protected override IEnumerable<Segment> Render(RenderOptions options, int maxWidth)
        {
            List<SegmentLine> lines = Segment.SplitLines(((IRenderable)table).Render(options, maxWidth));
            int last = lines.FindLastIndex(line => !IsBlank(line));
            foreach (SegmentLine line in lines.Take(last + 1).SkipWhile(IsBlank))
            {
                foreach (Segment segment in line) yield return segment;
                yield return Segment.LineBreak;
            }
        }

        private static bool IsBlank(SegmentLine line) =>
            line.TrueForAll(segment => string.IsNullOrWhiteSpace(segment.Text));
    }
}
