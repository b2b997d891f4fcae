using System.Diagnostics;

namespace Snapshot.Tests.Faults;

/// <summary>A process that runs a verb of lives (tests/Snapshot.TestPrograms/Life), with the rig or without.</summary>
internal sealed class LifeProcess : IDisposable
{
    // A guard against hanging for ever, and no measure of anything: a life takes a fraction of a second.
    private static readonly TimeSpan s_guard = TimeSpan.FromSeconds(90);

    private readonly Process _process;
    private readonly Task<string> _error;

    /// <param name="rig">Whether the rig is preloaded.</param>
    /// <param name="environment">Further variables.</param>
    /// <param name="arguments">The verb and what it takes.</param>
    internal LifeProcess(bool rig, (string Name, string Value)[] environment, params string[] arguments)
    {
        string program = Path.Combine(AppContext.BaseDirectory, "Snapshot.TestPrograms.dll");
        ProcessStartInfo start = new("dotnet", ["exec", program, "life", .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        if (rig) start.Environment["LD_PRELOAD"] = RigLibrary.Path;
        start.Environment["DOTNET_TieredPGO"] = "0";
        foreach ((string name, string value) in environment) start.Environment[name] = value;
        _process = Process.Start(start)!;
        _error = _process.StandardError.ReadToEndAsync();
    }

    internal int Id => _process.Id;

    /// <summary>What the process wrote to standard error; only when it has ended.</summary>
    internal string Error => _error.Result;

    /// <summary>Gives it lines of standard input, and ends that.</summary>
    internal void Give(IEnumerable<string> lines)
    {
        foreach (string line in lines) _process.StandardInput.WriteLine(line);
        _process.StandardInput.Close();
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
