using System.Diagnostics;

namespace Snapshot.Tests.Session;

/// <summary>A child process that runs a verb of Snapshot.TestPrograms.</summary>
internal sealed class TestProgram : IDisposable
{
    private readonly Process _process;

    internal TestProgram(params string[] arguments)
        : this([], arguments)
    {
    }

    /// <param name="environment">Variables to set.</param>
    /// <param name="arguments">The verb and what it takes.</param>
    internal TestProgram((string Name, string Value)[] environment, params string[] arguments)
        : this(AppContext.BaseDirectory, environment, arguments)
    {
    }

    /// <param name="folder">Where Snapshot.TestPrograms.dll is, and what it needs.</param>
    /// <param name="environment">Variables to set.</param>
    /// <param name="arguments">The verb and what it takes.</param>
    internal TestProgram(string folder, (string Name, string Value)[] environment, params string[] arguments)
    {
        string program = Path.Combine(folder, "Snapshot.TestPrograms.dll");
        ProcessStartInfo start = new("dotnet", ["exec", program, .. arguments])
        { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach ((string name, string value) in environment) start.Environment[name] = value;
        _process = Process.Start(start)!;
    }

    /// <summary>
    /// Lines of standard output up to and including the first that starts with one of the given texts.
    /// </summary>
    /// <exception cref="InvalidOperationException">The process ended without it.</exception>
    internal List<string> ReadUntil(params string[] texts)
    {
        List<string> lines = [];
        while (_process.StandardOutput.ReadLine() is { } line)
        {
            lines.Add(line);
            if (Array.Exists(texts, text => line.StartsWith(text, StringComparison.Ordinal))) return lines;
        }

        throw new InvalidOperationException(
            $"the program ended without '{string.Join("' or '", texts)}':\n{string.Join('\n', lines)}\n" +
            _process.StandardError.ReadToEnd());
    }

    /// <summary>Writes a line to its standard input.</summary>
    internal void Write(string line)
    {
        _process.StandardInput.Write(line + "\n");
        _process.StandardInput.Flush();
    }

    /// <summary>Waits until the process has ended by itself.</summary>
    internal (int ExitCode, string Output, string Error) WaitForEnd()
    {
        Task<string> error = _process.StandardError.ReadToEndAsync();
        string output = _process.StandardOutput.ReadToEnd();
        _process.WaitForExit();
        return (_process.ExitCode, output, error.Result);
    }

    /// <summary>Kills the process with SIGKILL, when it still runs, and waits for its end.</summary>
    internal void Kill()
    {
        _process.Kill();
        _process.WaitForExit();
    }

    public void Dispose()
    {
        Kill();
        _process.Dispose();
    }
}
