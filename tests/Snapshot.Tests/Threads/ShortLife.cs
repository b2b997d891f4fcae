using System.Diagnostics;
using System.Text;

namespace Snapshot.Tests.Threads;

/// <summary>A process that was killed with SIGKILL unless it came to its end before.</summary>
/// <param name="IsInTime">
/// Whether it wrote the lines that it was to live for, or ended, before it counts as hung.
/// </param>
/// <param name="ExitCode">Null when it was killed.</param>
/// <param name="Output">All it wrote to standard output.</param>
/// <param name="Error">All it wrote to standard error.</param>
internal sealed record ShortLife(bool IsInTime, int? ExitCode, string Output, string Error)
{
    internal static readonly TimeSpan Hang = TimeSpan.FromMinutes(5);

    /// <summary>Runs a process until it has written so many lines, and so long after that.</summary>
    internal static ShortLife Of(ProcessStartInfo start, int lines, int millisecondsMore)
    {
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        using Process process = Process.Start(start)!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        Task<string> begin = Task.Run(() => Lines(process.StandardOutput, lines));
        bool isInTime = begin.Wait(Hang);
        bool hasEnded = isInTime && process.WaitForExit(millisecondsMore);
        if (!hasEnded) process.Kill();
        process.WaitForExit();
        string output = begin.GetAwaiter().GetResult() + process.StandardOutput.ReadToEnd();
        return new ShortLife(
            isInTime, hasEnded ? process.ExitCode : null, output, error.GetAwaiter().GetResult());
    }

    private static string Lines(StreamReader from, int count)
    {
        StringBuilder lines = new();
        for (; count > 0 && from.ReadLine() is { } line; count--) lines.Append(line).Append('\n');
        return lines.ToString();
    }
}
