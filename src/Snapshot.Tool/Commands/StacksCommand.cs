using System.CommandLine;
using System.Globalization;
using Snapshot.Tool.Output;
using Snapshot.Tool.Stacks;
using Spectre.Console;

namespace Snapshot.Tool.Commands;

/// <summary>
/// <c>snapshot stacks PID</c>: where the participants of a live process are; what a missed deadline points
/// to.
/// </summary>
internal sealed class StacksCommand : Command
{
    internal StacksCommand(ToolConsole console)
        : base(
            "stacks",
            "Shows each participant of a live process: what it does, and its managed stack. " +
            "Stops the process while it reads.")
    {
        Argument<int> processId = new("PID")
        {
            Description = "The number of the process.",
            CustomParser = result =>
            {
                string token = result.Tokens[0].Value;
                if (!int.TryParse(token, NumberStyles.None, CultureInfo.InvariantCulture, out int number) ||
                    number < 1)
                    result.AddError($"'{token}' is not a process; give its number, as ps or pgrep show it.");
                else if (number == Environment.ProcessId)
                    result.AddError("A process cannot inspect itself; give the number of another one.");
                return number;
            },
        };
        Option<bool> json = CommandParts.Json();
        Add(processId);
        Add(json);
        SetAction(parsed => Run(console, parsed.GetRequiredValue(processId), parsed.GetValue(json)));
    }

    private static int Run(ToolConsole console, int processId, bool json)
    {
        ProcessReport report = ProcessInspector.Inspect(processId);
        if (json) console.WriteJson(report, ToolJson.Default.ProcessReport);
        else Print(console.Results, report);
        return ExitCode.Fine;
    }

    private static void Print(IAnsiConsole console, ProcessReport report)
    {
        console.Heading($"Process {report.ProcessId}");
        console.Line($"  {report.Command}");
        if (report.Sessions.Count == 0) console.Line("No session is open in it.");
        foreach (SessionReport session in report.Sessions) Print(console, session);
    }

    private static void Print(IAnsiConsole console, SessionReport session)
    {
        console.Heading("\nSession");
        console.Facts(
            ("phase", session.Phase),
            ("checkpoint attempts", Readable.Number(session.Attempt)),
            ("participants", $"{session.Participants.Count}, of which {session.Running} not stopped"),
            ("handler thread", session.Handlers));
        foreach (ParticipantReport participant in session.Participants) Print(console, participant);
    }

    private static void Print(IAnsiConsole console, ParticipantReport participant)
    {
        Paragraph head = new();
        head.Append($"\n{participant.Name}", new Style(decoration: Decoration.Bold));
        head.Append($"  {participant.State}\n");
        console.Write(head);
        string thread = $"{participant.ManagedThreadId}" +
            (participant.SystemThreadId is { } systemId ? $" (system {systemId})" : "") +
            (participant.ThreadName is { } name ? $" '{name}'" : "");
        console.Facts(("activity", participant.Activity), ("thread", thread));
        if (participant.Stack.Count > 0) console.Write(StackOf(participant));
    }

    private static Grid StackOf(ParticipantReport participant)
    {
        Grid grid = new();
        grid.AddColumn(new GridColumn { Padding = new Padding(4, 0, 2, 0) });
        grid.AddColumn(new GridColumn { NoWrap = true, Padding = new Padding(0, 0, 0, 0) });
        foreach (FrameReport frame in participant.Stack)
        {
            string place = frame.File is { } file ? $"{Path.GetFileName(file)}:{frame.Line}" : "";
            grid.AddRow(new Text(ShortName(frame.Method)), new Text(place, new Style(Color.Grey)));
        }

        return grid;
    }

    /// <summary>Without parameters: the line tells overloads apart. JSON has the whole signature.</summary>
    private static string ShortName(string method) =>
        method.StartsWith("ILStubClass.", StringComparison.Ordinal)
            ? "(call into native code)" : method.Split('(')[0];
}
