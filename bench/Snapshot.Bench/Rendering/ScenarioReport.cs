using System.Text.Json;
using System.Text.Json.Nodes;
using Spectre.Console;

namespace Snapshot.Bench;

/// <summary>What a scenario found, in every form it is shown in.</summary>
internal sealed record ScenarioReport
{
    private const int WidthOfFile = 240;

    private static readonly JsonSerializerOptions s_indented = new() { WriteIndented = true };

    internal required IReadOnlyList<TextTable> Tables { get; init; }

    /// <summary>One object a row; or one, where the other rows are its baselines.</summary>
    internal required JsonNode Json { get; init; }

    /// <summary>Sentences below the tables: what the columns mean.</summary>
    internal required string Note { get; init; }

    internal required IReadOnlyList<Plot> Plots { get; init; }

    /// <summary>A report whose one table and whose JSON come from the same columns.</summary>
    internal static ScenarioReport Of<TRow>(
        IReadOnlyList<TRow> rows, IReadOnlyList<Column<TRow>> columns, string note,
        params IReadOnlyList<Plot> plots) =>
        new()
        {
            Tables = [TextTable.Of(rows, columns)],
            Json = JsonOf(rows, columns),
            Note = note,
            Plots = plots,
        };

    internal static JsonArray JsonOf<TRow>(IEnumerable<TRow> rows, IReadOnlyList<Column<TRow>> columns)
    {
        JsonArray array = [];
        foreach (TRow row in rows)
        {
            JsonObject fields = [];
            foreach (Column<TRow> column in columns)
            {
                if (column.Name is { } name) fields[name] = Figures.Node(column.Value(row));
            }

            array.Add((JsonNode)fields);
        }

        return array;
    }

    internal void Print(bool asJson)
    {
        if (asJson)
        {
            Console.WriteLine(Json.ToJsonString(s_indented));
            return;
        }

        // A file or a pipe has no width; a table is not broken into pieces for it.
        if (Console.IsOutputRedirected) AnsiConsole.Profile.Width = WidthOfFile;
        foreach (TextTable table in Tables) table.WriteTo(AnsiConsole.Console);
        AnsiConsole.WriteLine(Note);
    }
}
