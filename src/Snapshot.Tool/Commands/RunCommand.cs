using System.CommandLine;
using System.CommandLine.Parsing;
using Snapshot.Tool.Output;
using Snapshot.Tool.Supervision;
using Spectre.Console;

namespace Snapshot.Tool.Commands;

/// <summary><c>snapshot run -- PROGRAM [ARG…]</c>: starts a program again when it died.</summary>
internal sealed class RunCommand : Command
{
    private const int RestartsByDefault = 3;
    private const double BackoffByDefault = 1;
    private const double BackoffMaxByDefault = 60;

    internal RunCommand(ToolConsole console)
        : base(
            "run",
            "Runs a program, and starts it again if it dies: if a signal ends it (not SIGHUP, SIGINT or " +
            "SIGTERM) or its exit code is not 0. Ends with the exit code of its last process, or 128 + n " +
            "if signal n ended that.")
    {
        Argument<string[]> program = new("PROGRAM")
        {
            Description =
                "After '--': the program and its arguments, as in 'snapshot run --restarts 5 -- ./heat " +
                "--size 100'.",
            Arity = ArgumentArity.OneOrMore,
        };
        Option<int> restarts = CommandParts.Count(
            "--restarts", 0,
            "How often it is started again at the most. With --store each new generation lets this begin " +
            "anew.");
        restarts.DefaultValueFactory = _ => RestartsByDefault;
        Option<string?> store = CommandParts.StoreOption(
            "The store that the program uses. Before a restart it is verified and the outcome told.");
        Option<double> backoff = CommandParts.Seconds(
            "--backoff", BackoffByDefault,
            "How long to wait before the first restart. Each further wait is twice as long.");
        Option<double> backoffMax = CommandParts.Seconds(
            "--backoff-max", BackoffMaxByDefault,
            "The longest wait. After a new generation, or a process that lasted longer, the wait is " +
            "--backoff again.");
        Option<bool> onlySignals = new("--only-signals")
        {
            Description = "Start it again only when a signal ended it, not for an exit code.",
        };
        Option<bool> json =
            new("--json") { Description = "Report as one line of JSON, the last of standard error." };
        Add(program);
        Add(restarts);
        Add(store);
        Add(backoff);
        Add(backoffMax);
        Add(onlySignals);
        Add(json);
        SetAction(parsed =>
        {
            string[] line = parsed.GetRequiredValue(program);
            if (line.Length > CommandParts.WordsBehindDashes(parsed))
                return UsageErrors.ReportMisplaced(line[0], parsed, console);
            SupervisionOptions options = new(
                line,
                parsed.GetValue(store),
                parsed.GetValue(restarts),
                TimeSpan.FromSeconds(parsed.GetValue(backoff)),
                TimeSpan.FromSeconds(parsed.GetValue(backoffMax)),
                parsed.GetValue(onlySignals));
            return Run(console, options, parsed.GetValue(json));
        });
    }

    private static int Run(ToolConsole console, SupervisionOptions options, bool json)
    {
        if (!OperatingSystem.IsLinux())
            throw new SnapshotException(
                SnapshotErrorCode.Unsupported, "Programs are supervised on Linux only.");
        SupervisionReport report = new Supervisor(options, json ? static _ => { } : console.Fail).Run();
        if (json) console.ReportJson(report, ToolJson.Default.SupervisionReport);
        else Print(console.Reports, report, options);
        return report.ExitCode;
    }

    private static void Print(IAnsiConsole console, SupervisionReport report, SupervisionOptions options)
    {
        Table table = options.Store is null
            ? Tables.Create(">Attempt", "Started", ">Lasted", "End").Folding(1).Folding(3)
            : Tables.Create(">Attempt", "Started", ">Lasted", "End", ">Generation before", ">after")
                .Folding(1).Folding(3).Folding(4);
        foreach (AttemptReport attempt in report.Attempts)
        {
            string[] cells =
            [
                Readable.Number(attempt.Number),
                Readable.Time(attempt.Started),
                Readable.Duration(TimeSpan.FromSeconds(attempt.Seconds)),
                new Ending(attempt.ExitCode).Words,
                attempt.GenerationBefore is { } before ? Readable.Number(before) : "none",
                attempt.GenerationAfter is { } after ? Readable.Number(after) : "none",
            ];
            table.Add(cells.AsSpan(0, table.Columns.Count));
        }

        if (report.Attempts.Count > 0) console.Print(table);
        string restarts = Readable.Count(Math.Max(0, report.Attempts.Count - 1), "restart");
        switch (report.End)
        {
            case SupervisionEnd.Done:
                console.Good($"Done after {restarts}");
                break;
            case SupervisionEnd.RestartsUsedUp:
                console.Bad($"Given up after {restarts}: --restarts {options.Restarts} are used up");
                break;
            case SupervisionEnd.NotRestarted:
                console.Bad($"Over after {restarts}: an end like this is no reason to start it again");
                break;
            case SupervisionEnd.Stopped:
                console.Bad($"Stopped by a signal after {restarts}");
                break;
        }
    }
}
