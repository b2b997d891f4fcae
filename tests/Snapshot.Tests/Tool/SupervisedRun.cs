using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Snapshot.Tool.Supervision;
using Xunit;

namespace Snapshot.Tests.Tool;

/// <summary>
/// The command <c>run</c> as a process without a terminal, so that it is in the foreground of none.
/// </summary>
internal sealed class SupervisedRun : IDisposable
{
    private const int Killing = 9;

    private static readonly TimeSpan s_hang = TimeSpan.FromMinutes(3);

    private readonly Process _process;
    private readonly Timer _watchdog;
    private int _killed;

    internal SupervisedRun(params string[] arguments)
    {
        _process = Process.Start(new ProcessStartInfo("setsid", [.. Command, .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        _watchdog = new Timer(
            _ => _process.Kill(entireProcessTree: true), null, s_hang, Timeout.InfiniteTimeSpan);
    }

    internal static string TestPrograms =>
        Path.Combine(AppContext.BaseDirectory, "Snapshot.TestPrograms.dll");

    /// <summary>
    /// The words before those of <c>run</c>. SIGINT is as a terminal would leave it: tests that run in the
    /// background of a shell have it ignored, which children inherit.
    /// </summary>
    internal static string[] Command =>
    [
        "env", "--default-signal=INT", ToolRun.Dotnet, "exec",
        Path.Combine(AppContext.BaseDirectory, "Snapshot.Tool.dll"), "run",
    ];

    /// <summary>A program that tells the signals it gets.</summary>
    internal static string[] SignalTarget => [ToolRun.Dotnet, "exec", TestPrograms, "signal-target"];

    internal StreamWriter Input => _process.StandardInput;

    /// <summary>Signals the supervisor.</summary>
    internal void Signal(int signal) => ProcessSignal.Send(_process.Id, signal);

    internal void Kill() => _process.Kill();

    /// <summary>Kills the program with SIGKILL.</summary>
    /// <returns>False when none runs at the moment, or only the one that was killed before.</returns>
    internal bool KillProgram()
    {
        // Children belong to the thread that started them; here that must be the main one, which stays.
        string children = File.ReadAllText($"/proc/{_process.Id}/task/{_process.Id}/children").Trim();
        if (children.Length == 0) return false;
        int program = int.Parse(children, CultureInfo.InvariantCulture);
        if (program == _killed) return false;
        _killed = program;
        ProcessSignal.Send(program, Killing);
        return true;
    }

    /// <summary>A line that the program printed; null when no more can come.</summary>
    internal string? ReadLine() => _process.StandardOutput.ReadLine();

    internal void Expect(string line) => Assert.Equal(line, ReadLine());

    /// <summary>A line that the supervisor said.</summary>
    internal string? ReadErrorLine() => _process.StandardError.ReadLine();

    /// <summary>What is left of the outputs, when both processes have ended.</summary>
    internal ToolRun End()
    {
        Task<string> error = _process.StandardError.ReadToEndAsync();
        string output = _process.StandardOutput.ReadToEnd();
        _process.WaitForExit();
        return new ToolRun(_process.ExitCode, output, error.Result);
    }

    /// <summary>The report that is the last line of an error output.</summary>
    internal static JsonElement ReportOf(string error)
    {
        using JsonDocument document = JsonDocument.Parse(error.TrimEnd().Split('\n')[^1]);
        return document.RootElement.Clone();
    }

    public void Dispose()
    {
        _watchdog.Dispose();
        _process.Kill(entireProcessTree: true);
        _process.WaitForExit();
        _process.Dispose();
    }
}
