using System.CommandLine;
using Snapshot.Tool.Output;
using Spectre.Console;

namespace Snapshot.Tool.Commands;

/// <summary>What the machine can do for Snapshot.</summary>
/// <param name="CanRun">True when sessions can work here.</param>
/// <param name="Tracking">How changed pages would be found: "writeProtect" or "contentHash".</param>
/// <param name="Findings">Every finding.</param>
internal sealed record DoctorReport(bool CanRun, string Tracking, IReadOnlyList<KernelCapability> Findings);

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
        KernelCapabilities found = KernelCapabilities.Current;
        DoctorReport report = new(
            found.PageSize == 4096 && found.FixedNoReplace,
            found.WriteProtectTracking ? "writeProtect" : "contentHash",
            found.Items);
        if (json) console.WriteJson(report, ToolJson.Default.DoctorReport);
        else Print(console.Results, report);
        return report.CanRun ? ExitCode.Fine : ExitCode.Damage;
    }

    private static void Print(IAnsiConsole console, DoctorReport report)
    {
        Table table = Tables.Create("Finding", "", "Detail").Folding(2);
        foreach (KernelCapability item in report.Findings)
        {
            Paragraph detail = new(item.Detail);
            if (item.Consequence.Length > 0) detail.Append($"\n{item.Consequence}", new Style(Color.Yellow));
            table.AddRow(
                new Text(item.Name),
                new Text(item.Available ? "yes" : "no", new Style(item.Available ? Color.Green : Color.Yellow)),
                detail);
        }

        console.Print(table);
        console.Line("");
        if (!report.CanRun) console.Bad("Snapshot cannot run here");
        else if (report.Tracking == "writeProtect")
            console.Good("Snapshot runs here; changed pages are found by write protection");
        else
            console.Good(
                "Snapshot runs here; changed pages are found by content hash, so a pause grows with the memory in use");
    }
}
