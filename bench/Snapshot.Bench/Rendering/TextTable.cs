using Spectre.Console;

namespace Snapshot.Bench;

/// <summary>Headings and cells, ready to be printed.</summary>
internal sealed record TextTable(IReadOnlyList<string> Headings, IReadOnlyList<IReadOnlyList<string>> Cells)
{
    internal static TextTable Of<TRow>(IEnumerable<TRow> rows, IReadOnlyList<Column<TRow>> columns)
    {
        Column<TRow>[] shown = [.. columns.Where(column => column.Heading is not null)];
        return new TextTable(
            [.. shown.Select(column => column.Heading!)],
            [.. rows.Select(row => (string[])[.. shown.Select(column => Figures.Text(column.Value(row)))])]);
    }

    internal void WriteTo(IAnsiConsole console)
    {
        Table table = new Table().Border(TableBorder.Simple);
        foreach (string heading in Headings) table.AddColumn(Markup.Escape(heading));
        foreach (IReadOnlyList<string> row in Cells) table.AddRow([.. row.Select(Markup.Escape)]);
        console.Write(table);
    }

    /// <summary>The table in Markdown; numbers stand right.</summary>
    internal string ToMarkdown()
    {
        List<string> lines =
        [
            Line(Headings),
            Line(Enumerable.Range(0, Headings.Count).Select(column => IsNumeric(column) ? "---:" : "---")),
            .. Cells.Select(Line),
        ];
        return string.Join('\n', lines) + "\n";
    }

    private static string Line(IEnumerable<string> cells) =>
        $"| {string.Join(" | ", cells.Select(cell => cell.Replace("|", "\\|", StringComparison.Ordinal)))} |";

    private bool IsNumeric(int column) =>
        Cells.Any(row => IsNumber(row[column])) &&
        Cells.All(row => row[column] is "-" or "" || IsNumber(row[column]));

    private static bool IsNumber(string text) =>
        text.Length > 0 && (char.IsAsciiDigit(text[^1]) || text[^1] == '%')
            && (char.IsAsciiDigit(text[0]) || text[0] == '-');
}
