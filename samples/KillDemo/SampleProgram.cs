using System.CommandLine;
using Snapshot;
using Spectre.Console;

namespace KillDemo;

/// <summary>What a sample's program does with its command line: exit codes and messages.</summary>
/// <param name="name">Stands before each message.</param>
internal sealed class SampleProgram(string name)
{
    private const int Failed = 1;
    private const int Misused = 2;

    /// <summary>
    /// Does what the command line says. Exit code 0; 1 when it failed; 2 when it was misused.
    /// </summary>
    internal async Task<int> MainAsync(ParseResult parsed, IEnumerable<string> misuses)
    {
        string[] found = [.. misuses];
        if (found.Length > 0)
        {
            foreach (string misuse in found) Console.Error.WriteLine($"{name}: {misuse}");
            Console.Error.WriteLine($"{name}: --help shows the options.");
            return Misused;
        }

        try
        {
            InvocationConfiguration configuration = new() { EnableDefaultExceptionHandler = false };
            return await parsed.InvokeAsync(configuration).ConfigureAwait(false);
        }
        catch (Exception error)
            when (error is RunException or SnapshotException or IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine($"{name}: {error.Message}");
            return Failed;
        }
    }

    /// <summary>The demo, in a directory that is new.</summary>
    internal static async Task<int> DemoAsync(DemoOptions options)
    {
        string directory = options.Run.Directory;
        if (Directory.Exists(directory) && Directory.EnumerateFileSystemEntries(directory).Any())
        {
            throw new RunException(
                $"'{directory}' is not empty. The demo begins a new simulation; give it a new directory.");
        }

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

    /// <summary>Runs a worker on a thread of its own; its failure ends the process.</summary>
    internal Thread StartWorker(string worker, Action run)
    {
        Thread thread = new(() =>
        {
            try
            {
                run();
            }
            catch (Exception error)
            {
                // The others wait for this thread at the barrier and always would: the process is what ends.
                Console.Error.WriteLine($"{name}: {worker} failed: {error}");
                Environment.Exit(Failed);
            }
        })
        {
            IsBackground = true,
            Name = worker,
        };
        thread.Start();
        return thread;
    }
}
