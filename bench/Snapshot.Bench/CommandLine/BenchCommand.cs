using System.CommandLine;

namespace Snapshot.Bench;

/// <summary>A scenario's command: its own options, and those of every scenario (store, JSON, plot).</summary>
internal sealed class BenchCommand : Command
{
    private readonly Option<DirectoryInfo> _store = new("--store")
    {
        Description = "A directory on the disk to measure; a fresh folder in it is used and deleted.",
        DefaultValueFactory = _ => new DirectoryInfo(Environment.CurrentDirectory),
    };

    private readonly Option<bool> _json = new("--json")
    {
        Description =
            "Print JSON instead of tables: an array, an object a row; cost and scale print one object.",
    };

    private readonly Option<FileInfo?> _plot =
        new("--plot") { Description = "Draw the figures into this SVG file." };

    private readonly Option<bool> _busy = Busy();

    private readonly Func<ParseResult, BenchRun, ScenarioReport> _measure;

    internal BenchCommand(
        string name, string description, IEnumerable<Option> options,
        Func<ParseResult, BenchRun, ScenarioReport> measure)
        : base(name, description)
    {
        _measure = measure;
        foreach (Option option in options) Options.Add(option);
        Options.Add(_store);
        Options.Add(_json);
        Options.Add(_plot);
        Options.Add(_busy);
        SetAction(result => BenchExit.Of(() => Print(result)));
    }

    /// <summary>Whether other processes change what it finds.</summary>
    internal bool IsTimed { get; init; } = true;

    internal static Option<bool> Busy() => new("--busy")
    {
        Description = "Measure although other processes take the processors; without it that is refused.",
    };

    /// <summary>Measures what the arguments say, and prints nothing but what it is doing.</summary>
    internal ScenarioReport Measure(ParseResult result, Action<string> say) =>
        _measure(result, new BenchRun(result.GetValue(_store)!.FullName, say));

    private void Print(ParseResult result)
    {
        bool asJson = result.GetValue(_json);
        FileInfo? plot = result.GetValue(_plot);
        if (plot is { Directory.Exists: false })
            throw new RequirementException(
                "The directory of --plot does not exist", $"make '{plot.Directory}'.");
        if (IsTimed && !result.GetValue(_busy)) OtherLoad.ThrowIfBusy(OtherLoad.Measure());
        ScenarioReport report = Measure(result, asJson ? static _ => { } : Console.Error.WriteLine);
        report.Print(asJson);
        if (plot is not null) File.WriteAllText(plot.FullName, SvgPlot.Draw(report.Plots));
    }
}

/// <summary>Where a scenario writes, and how it tells what it is doing.</summary>
internal sealed record BenchRun(string Directory, Action<string> Say);

/// <summary>Exit codes: 0 measured, 1 the command line is wrong, 3 it could not be measured.</summary>
internal static class BenchExit
{
    internal const int Failed = 3;

    /// <summary>Says what was in the way instead of where in the program that was noticed.</summary>
    internal static int Of(Action action)
    {
        try
        {
            action();
            return 0;
        }
        catch (Exception error) when (IsOfTheMachine(error))
        {
            Console.Error.WriteLine(error.Message);
            return Failed;
        }
    }

    /// <summary>
    /// Whether it says something of the machine or the arguments, not of a fault in this program.
    /// </summary>
    internal static bool IsOfTheMachine(Exception error) =>
        error is RequirementException or SnapshotException or IOException or UnauthorizedAccessException;
}
