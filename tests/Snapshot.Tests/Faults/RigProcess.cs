using System.Diagnostics;

namespace Snapshot.Tests.Faults;

/// <summary>A process that runs a program beside the tests, with the rig below it or without.</summary>
internal sealed class RigProcess : IDisposable
{
    // A guard against hanging for ever, and no measure of anything: a life takes a fraction of a second.
    private static readonly TimeSpan s_guard = TimeSpan.FromSeconds(90);

    private readonly Process _process;
    private readonly Task<string> _error;

    private RigProcess(
        string program, bool rig, (string Name, string Value)[] environment, string[] arguments)
    {
        ProcessStartInfo start = new(
            "dotnet", ["exec", Path.Combine(AppContext.BaseDirectory, program), .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["DOTNET_TieredPGO"] = "0"; // begins sooner
        if (rig) start.Environment["LD_PRELOAD"] = RigLibrary.Path;
        foreach ((string name, string value) in environment) start.Environment[name] = value;
        _process = Process.Start(start)!;
        _error = _process.StandardError.ReadToEndAsync();
    }

    /// <summary>The exit code of a process that SIGKILL ended.</summary>
    internal const int Killed = 128 + 9;

    /// <summary>What the process wrote to standard error; only when it has ended.</summary>
    internal string Error => _error.Result;

    /// <summary>Starts a program.</summary>
    /// <param name="program">Its assembly.</param>
    /// <param name="rig">Whether the rig is preloaded.</param>
    /// <param name="environment">Further variables.</param>
    /// <param name="arguments">What it takes.</param>
    internal static RigProcess Start(
        string program, bool rig, (string Name, string Value)[] environment, params string[] arguments) =>
        new(program, rig, environment, arguments);

    /// <summary>Starts a verb of lives (tests/Snapshot.TestPrograms/Life).</summary>
    internal static RigProcess StartLife(
        bool rig, (string Name, string Value)[] environment, params string[] arguments) =>
        new("Snapshot.TestPrograms.dll", rig, environment, ["life", .. arguments]);

    /// <summary>Gives it a line of standard input.</summary>
    internal void Ask(string line)
    {
        _process.StandardInput.WriteLine(line);
        _process.StandardInput.Flush();
    }

    /// <summary>Gives it lines of standard input, as many as it reads, and ends that.</summary>
    internal void Give(IEnumerable<string> lines)
    {
        try
        {
            foreach (string line in lines) _process.StandardInput.WriteLine(line);
            _process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It ended before; how is for its exit code to tell.
        }
    }

    /// <summary>The next line, or null when the process has ended.</summary>
    /// <exception cref="TimeoutException">It does not go on, and was killed.</exception>
    internal string? ReadLine()
    {
        Task<string?> line = _process.StandardOutput.ReadLineAsync();
        if (line.Wait(s_guard)) return line.Result;
        _process.Kill();
        throw new TimeoutException();
    }

    /// <summary>All lines up to its end, and how it ended; killed it has 128 and the signal.</summary>
    internal (int ExitCode, List<string> Lines) ReadToEnd()
    {
        List<string> lines = [];
        while (ReadLine() is { } line) lines.Add(line);
        return (WaitForExit(), lines);
    }

    internal int WaitForExit()
    {
        _process.WaitForExit();
        return _process.ExitCode;
    }

    internal void Kill() => _process.Kill();

    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }
}
