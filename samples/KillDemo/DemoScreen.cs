using System.Globalization;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace KillDemo;

/// <summary>
/// The demo as a person sees it: a bar that moves, and the table of generations with the kills between them.
/// </summary>
internal sealed class DemoScreen(IAnsiConsole console, DemoOptions options, DemoLedger ledger)
{
    private const int BarWidth = 40;
    private const int LiveRows = 12;

    /// <summary>
    /// Shows the demo while it runs. Where the output is no terminal only the sentences are shown.
    /// </summary>
    internal async Task<DemoReport> WatchAsync(Demo demo)
    {
        if (!console.Profile.Capabilities.Interactive || !console.Profile.Capabilities.Ansi)
            return await demo.RunAsync(console.WriteLine).ConfigureAwait(false);

        string sentence = "";
        return await console.Live(Picture(sentence, LiveRows)).AutoClear(true).StartAsync(live =>
        {
            ledger.Changed += () => live.UpdateTarget(Picture(sentence, LiveRows));
            return demo.RunAsync(said => live.UpdateTarget(Picture(sentence = said, LiveRows)));
        }).ConfigureAwait(false);
    }

    /// <summary>The whole table and the outcome.</summary>
    internal void ShowOutcome(DemoReport report)
    {
        console.Write(Generations(int.MaxValue));
        console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{report.Kills} kills, {report.KillsInRestart} while restarting " +
            $"and {report.KillsInDrain} while writing an image; {report.Generations} generations; " +
            $"pause {report.PauseMsMedian:F3} ms median, {report.PauseMsMax:F3} ms at most."));
        if (report.Summary is not null) console.WriteLine(report.Summary);
        if (report.Output is not null)
            console.WriteLine($"The picture of the final state is in {report.Output}");
        if (options.KeepsDirectory)
        {
            console.WriteLine(
                $"The images are in {options.Run.StoreDirectory}, the results in {options.Run.ResultsPath}");
        }

        console.MarkupLine(report.Equal
            ? "[green]The result equals that of the uninterrupted run, bit for bit.[/]"
            : "[red]The result differs from that of the uninterrupted run: " +
                $"{report.Checksum}, {report.ExpectedChecksum}.[/]");
    }

    private Rows Picture(string sentence, int rows) =>
        new(new Text(sentence), new Markup(Bar()), Generations(rows));

    private string Bar()
    {
        double part = (double)ledger.Step / options.Run.Steps;
        int filled = (int)(part * BarWidth);
        string from = ledger.RestartedFrom is { } generation ? $", from generation {generation}" : "";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"[green]{new string('━', filled)}[/][grey]{new string('━', BarWidth - filled)}[/] " +
            $"step {ledger.Step} of {options.Run.Steps}{from}, {ledger.Kills.Count} of {options.Kills} " +
            $"kills");
    }

    private Table Generations(int rowsMax)
    {
        Table table = new Table().Border(TableBorder.Simple)
            .AddColumn(new TableColumn("generation").RightAligned().NoWrap())
            .AddColumn(new TableColumn("kind").NoWrap())
            .AddColumn(new TableColumn("pages changed").RightAligned().NoWrap())
            .AddColumn(new TableColumn("bytes written").RightAligned().NoWrap())
            .AddColumn(new TableColumn("pause ms").RightAligned().NoWrap())
            .AddColumn(new TableColumn("drain ms").RightAligned().NoWrap());
        foreach (IRenderable[] row in Rows().TakeLast(rowsMax)) table.AddRow(row);
        return table;
    }

    private IEnumerable<IRenderable[]> Rows()
    {
        IReadOnlyList<RunEvent.Committed> generations = ledger.Generations;
        ILookup<int, KillTarget> kills =
            ledger.Kills.ToLookup(kill => kill.AfterGenerations, kill => kill.Doing);
        for (int index = 0; index <= generations.Count; index++)
        {
            foreach (KillTarget doing in kills[index])
                yield return [new Markup("[red]killed[/]"), new Markup($"[red]{Words(doing)}[/]")];
            if (index < generations.Count) yield return Row(generations[index]);
        }
    }

    private static IRenderable[] Row(RunEvent.Committed image) => [.. ((string[])
    [
        $"{image.Generation}",
        image.Parent is null ? "full" : "incremental",
        $"{image.PagesChanged}",
        image.BytesWritten.ToString("N0", CultureInfo.InvariantCulture),
        image.PauseMs.ToString("F3", CultureInfo.InvariantCulture),
        image.DrainMs.ToString("F1", CultureInfo.InvariantCulture),
    ]).Select(text => new Text(text))];

    /// <summary>What a process was doing when it was killed.</summary>
    internal static string Words(KillTarget doing) => doing switch
    {
        KillTarget.Restart => "while restarting",
        KillTarget.Drain => "while writing",
        _ => "while computing",
    };
}
