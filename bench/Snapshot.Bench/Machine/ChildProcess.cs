using System.Diagnostics;
using System.Text.Json;

namespace Snapshot.Bench;

/// <summary>
/// This program once more, for a measurement that needs a process of its own; it prints one JSON value.
/// </summary>
internal static class ChildProcess
{
    /// <exception cref="IOException">It failed.</exception>
    internal static T Run<T>(params string[] arguments)
    {
        string program = Environment.ProcessPath!;
        string[] before = program.EndsWith("dotnet", StringComparison.Ordinal)
            ? ["exec", typeof(ChildProcess).Assembly.Location]
            : [];
        ProcessStartInfo start = new(program, [.. before, .. arguments]) { RedirectStandardOutput = true };
        using Process child = Process.Start(start)!;
        Action end = child.Kill;
        Interruption.Register(end);
        try
        {
            string output = child.StandardOutput.ReadToEnd();
            child.WaitForExit();
            Interruption.EndIfInterrupted(child.ExitCode);
            if (child.ExitCode != 0)
                throw new IOException($"'{arguments[0]}' ended with {child.ExitCode}: {output}");
            return JsonSerializer.Deserialize<T>(output)!;
        }
        finally
        {
            Interruption.Forget(end);
        }
    }
}
