using System.Globalization;
using System.Text;

namespace Snapshot.Bench;

/// <summary>Puts RESULTS.md together.</summary>
internal sealed class ResultsDocument
{
    internal const string FileName = "RESULTS.md", PlotsFolder = "plots";

    private readonly StringBuilder _text = new();

    internal ResultsDocument(bool isQuick, DateOnly date, IEnumerable<(string Name, string Value)> machine)
    {
        Line("# Results");
        Line();
        Paragraph(
            "Written by `./build.ps1 bench all`; every table names the command that prints it again. " +
            "Figures change with the machine: compare the ratios to the baselines, which are of the same " +
            "run.");
        Line();
        if (isQuick)
        {
            Paragraph(
                "**A quick run** (`bench all --quick`): sizes are small, and the machine may have been " +
                "busy. It shows what is measured, not how good it is.");
            Line();
        }

        Line("| machine | |");
        Line("| --- | --- |");
        Line($"| date | {date.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)} |");
        foreach ((string name, string value) in machine) Line($"| {name} | {value} |");
    }

    /// <param name="part">What was measured.</param>
    /// <param name="report">What came out.</param>
    /// <param name="others">Processors that other processes took before it.</param>
    internal void Add(ResultsPart part, ScenarioReport report, double others)
    {
        Begin(part);
        foreach (TextTable table in report.Tables)
        {
            _text.Append(table.ToMarkdown());
            Line();
        }

        string taken = others.ToString("F2", CultureInfo.InvariantCulture);
        Paragraph(
            $"{report.Note} Before it other processes took {taken} of {Environment.ProcessorCount} " +
            "processors.");
        if (report.Plots.Count == 0) return;
        Line();
        Line($"![{part.Heading}]({PlotsFolder}/{part.Id}.svg)");
    }

    /// <summary>A table that could not be made, and why.</summary>
    internal void AddMissing(ResultsPart part, string reason)
    {
        Begin(part);
        Paragraph($"Not measured: {reason}");
    }

    internal void AddMissingMode(string mode, string reason)
    {
        Line();
        Paragraph($"`--mode {mode}` is not measured: {reason}");
    }

    public override string ToString() => _text.ToString();

    private void Begin(ResultsPart part)
    {
        Line();
        Line($"## {part.Heading}");
        Line();
        Line(part.Purpose);
        Line();
        Line("```sh");
        Line(part.CommandLine);
        Line("```");
        Line();
    }

    /// <summary>Words in lines of at most 120 characters.</summary>
    private void Paragraph(string text)
    {
        const int Width = 120;
        int length = 0;
        foreach (string word in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (length > 0 && length + 1 + word.Length > Width)
            {
                Line();
                length = 0;
            }

            if (length > 0) _text.Append(' ');
            _text.Append(word);
            length += (length > 0 ? 1 : 0) + word.Length;
        }

        Line();
    }

    private void Line(string text = "") => _text.Append(text).Append('\n');
}
