using System.Diagnostics;
using KillDemo;

namespace Snapshot.Tests.Arm64;

/// <summary>
/// A run of a sample that reports in JSON: killed after it has committed a generation, or at its end.
/// </summary>
internal static class SampleLife
{
    /// <summary>
    /// Kills it so long after its next generation is durable; false: it came to its end before.
    /// </summary>
    internal static bool IsKilledAfterCommit(ProcessStartInfo start, TimeSpan later)
    {
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        using Process process = Process.Start(start)!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        RunEvent? last = null;
        while (last is not RunEvent.Committed && process.StandardOutput.ReadLine() is { } line)
            last = RunEvent.FromLine(line);
        bool hasEnded = last is not RunEvent.Committed || process.WaitForExit(later);
        if (!hasEnded) process.Kill();
        process.WaitForExit();
        string said = error.GetAwaiter().GetResult();
        if (hasEnded && process.ExitCode != 0)
            throw new InvalidOperationException(
                $"{start.FileName} ended with exit code {process.ExitCode}: {said}");
        return !hasEnded;
    }
}
