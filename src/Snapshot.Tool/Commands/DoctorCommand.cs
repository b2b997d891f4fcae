using System.CommandLine;
using System.Globalization;
using Snapshot.Tool.Output;
using Snapshot.Tracking;
using Spectre.Console;

namespace Snapshot.Tool.Commands;

/// <summary>What the machine can do for Snapshot.</summary>
/// <param name="CanRun">True when sessions can work here.</param>
/// <param name="Tracking">How changed pages would be found.</param>
/// <param name="Capture">How they would be kept as they are at the capture.</param>
/// <param name="HashMillisecondsPerGiB">
/// What a pause takes for each GiB of memory in use, where pages are found by their content; else null.
/// </param>
/// <param name="CanRestartLazily">Whether a restart can fetch pages when they are touched.</param>
/// <param name="UnknownVariables">
/// Variables of the environment that begin as Snapshot's do and are none.
/// </param>
/// <param name="Findings">The table: every finding.</param>
internal sealed record DoctorReport(
    bool CanRun, TrackingMechanism Tracking, CaptureMode Capture, double? HashMillisecondsPerGiB,
    bool CanRestartLazily,
    IReadOnlyList<string> UnknownVariables, IReadOnlyList<DoctorFinding> Findings)
{
    internal static DoctorReport Of(MachineCapabilities machine)
    {
        TrackingMechanism tracking = TrackerFactory.Automatic(machine);
        CaptureMode capture = machine[Capability.CopyOnWriteInSystemCalls] ? CaptureMode.CopyOnWrite
            : tracking is TrackingMechanism.WriteProtect or TrackingMechanism.SoftDirty ? CaptureMode.PreCopy
            : CaptureMode.Stage;
        return new DoctorReport(
            machine[Capability.SmallPages], tracking, capture,
            tracking == TrackingMechanism.ContentHash ? HashSpeed.MillisecondsPerGiB() : null,
            machine[Capability.PagesOnDemand], [.. EnvironmentDefaults.Unknown()],
            [.. machine.Items.Select(DoctorFinding.Of)]);
    }
}

/// <summary>A line of the table of the machine.</summary>
/// <param name="Name">What was looked at.</param>
/// <param name="Available">Whether Snapshot can use it.</param>
/// <param name="Detail">What was seen.</param>
/// <param name="Capability">Which capability it is; null for a mere fact.</param>
/// <param name="Pretence">The word that takes it away in <c>SNAPSHOT_PRETEND</c>.</param>
/// <param name="Consequence">What follows from its lack.</param>
/// <param name="Remedy">What can be done about that.</param>
internal sealed record DoctorFinding(
    string Name, bool Available, string Detail, Capability? Capability, string Pretence, string Consequence,
    string Remedy)
{
    internal static DoctorFinding Of(MachineCapability item) => new(
        item.Name, item.Available, item.Detail, item.Capability, item.Pretence, item.Consequence,
        item.Remedy);
}

/// <summary><c>snapshot doctor</c>: what this machine lets Snapshot do, found out by trying.</summary>
internal sealed class DoctorCommand : Command
{
    internal DoctorCommand(ToolConsole console)
        : base("doctor", "Tries out what this machine and this user let Snapshot do, and says what follows.")
    {
        Option<bool> json = CommandParts.Json();
        Add(json);
        SetAction(parsed => Run(console, parsed.GetValue(json)));
    }

    private static int Run(ToolConsole console, bool json)
    {
        DoctorReport report = DoctorReport.Of(MachineCapabilities.Current);
        if (json) console.WriteJson(report, ToolJson.Default.DoctorReport);
        else Print(console.Results, report);
        return report.CanRun ? ExitCode.Fine : ExitCode.Damage;
    }

    private static void Print(IAnsiConsole console, DoctorReport report)
    {
        Table table = Tables.Create("Finding", "", "Detail").Folding(2);
        foreach (DoctorFinding item in report.Findings)
        {
            Paragraph detail = new(item.Detail);
            if (item.Consequence.Length > 0) detail.Append($"\n{item.Consequence}", new Style(Color.Yellow));
            if (item.Remedy.Length > 0) detail.Append($"\n{item.Remedy}", new Style(Color.Grey));
            table.AddRow(
                new Text(item.Name),
                new Text(
                    item.Available ? "yes" : "no", new Style(item.Available ? Color.Green : Color.Yellow)),
                detail);
        }

        console.Print(table);
        console.Line("");
        foreach (string name in report.UnknownVariables)
            console.Bad($"The environment variable {name} means nothing to Snapshot; it may be misspelt");
        if (!report.CanRun)
        {
            console.Bad("Snapshot cannot run here");
            return;
        }

        console.Good("Snapshot runs here");
        console.Line($"Changed pages are found by {Finding(report.Tracking)}.");
        console.Line($"They are kept by {WayOfCapture(report.Capture)}.");
        if (report.HashMillisecondsPerGiB is { } milliseconds)
            console.Line(string.Create(
                CultureInfo.InvariantCulture, $"Each GiB in use makes a pause {milliseconds:F0} ms longer."));
        console.Line(report.CanRestartLazily
            ? "A restart may fetch pages when they are touched, or read everything first."
            : "A restart reads everything before the first participant runs.");
    }

    private static string Finding(TrackingMechanism tracking) => tracking switch
    {
        TrackingMechanism.WriteProtect => "write protection, which the kernel lifts and notes",
        TrackingMechanism.SoftDirty => "the kernel's soft-dirty bits, read and cleared inside the pause",
        _ => "content hash: the pause grows with the memory in use",
    };

    private static string WayOfCapture(CaptureMode capture) => capture switch
    {
        CaptureMode.CopyOnWrite => "copy-on-write where an arena is written densely, else by copies",
        CaptureMode.PreCopy => "copies, made before the pause and inside it",
        _ => "copies, made inside the pause",
    };
}
