// Heat diffusion on a plate, checkpointed, killed and restarted. See `HeatDiffusion --help`.
using System.CommandLine;
using HeatDiffusion;
using Snapshot;
using Spectre.Console;

const int Failed = 1;
const int Misused = 2;

ParseResult parsed = CommandLine.Build(DemoAsync, RunAsync).Parse(args);
string[] misuses = [.. CommandLine.Misuses(parsed)];
if (misuses.Length > 0)
{
    foreach (string misuse in misuses) Console.Error.WriteLine($"heat: {misuse}");
    Console.Error.WriteLine("heat: --help shows the options.");
    return Misused;
}

try
{
    InvocationConfiguration configuration = new() { EnableDefaultExceptionHandler = false };
    return await parsed.InvokeAsync(configuration).ConfigureAwait(false);
}
catch (Exception error) when (error is HeatException or SnapshotException or IOException or UnauthorizedAccessException)
{
    Console.Error.WriteLine($"heat: {error.Message}");
    return Failed;
}

static async Task<int> RunAsync(HeatOptions options, bool isJson)
{
    await Simulation.RunAsync(options, new RunReporter(Console.Out, isJson)).ConfigureAwait(false);
    return 0;
}

static async Task<int> DemoAsync(DemoOptions options)
{
    string directory = options.Heat.Directory;
    if (Directory.Exists(directory) && Directory.EnumerateFileSystemEntries(directory).Any())
    {
        throw new HeatException(
            $"'{directory}' is not empty. The demo begins a new simulation; give it a new directory.");
    }

    if (!Directory.Exists(Path.GetDirectoryName(options.Heat.Output)))
        throw new HeatException($"There is no directory for the picture '{options.Heat.Output}'.");
    Pgm.Read(options.Heat.Input);

    DemoLedger ledger = new();
    Demo demo = new(options, ledger);
    DemoScreen screen = new(AnsiConsole.Console, options, ledger);
    DemoReport report = options.IsJson
        ? await demo.RunAsync(static _ => { }).ConfigureAwait(false)
        : await screen.WatchAsync(demo).ConfigureAwait(false);

    if (options.IsJson) Console.Out.WriteLine(report.ToLine());
    else screen.ShowOutcome(report);

    // What may show why the results differ is kept.
    if (report.Equal && !options.KeepsDirectory) Directory.Delete(directory, recursive: true);
    return report.Equal ? 0 : Failed;
}
