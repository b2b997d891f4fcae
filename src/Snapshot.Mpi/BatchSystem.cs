using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;

namespace Snapshot.Mpi;

/// <summary>What the batch system says of the job that this process is in. Slurm is known.</summary>
public static class BatchSystem
{
    /// <summary>
    /// The time until the job is killed. Asks the variable <c>SLURM_JOB_END_TIME</c>, and where Slurm does
    /// not set it <c>squeue</c>: for one process of a job, as each question reaches the one controller.
    /// </summary>
    /// <returns>Null in no job of Slurm, and in one without an end that Slurm can say.</returns>
    /// <exception cref="SnapshotException">Unsupported: Slurm does not answer.</exception>
    public static TimeSpan? TimeLeft()
    {
        if (Variable("SLURM_JOB_ID") is not { } job) return null;
        if (Variable("SLURM_JOB_END_TIME") is not { } end) return Parse(Ask(Task() ?? job));
        if (!long.TryParse(end, NumberStyles.None, CultureInfo.InvariantCulture, out long second) ||
            second > DateTimeOffset.MaxValue.ToUnixTimeSeconds())
            throw Unanswered($"SLURM_JOB_END_TIME is '{end}', which is no time");
        return NotNegative(DateTimeOffset.FromUnixTimeSeconds(second) - DateTimeOffset.UtcNow);
    }

    /// <summary>
    /// What <c>squeue --format %L</c> prints: days-hours:minutes:seconds, or less of that, or a word.
    /// </summary>
    internal static TimeSpan? Parse(string answer)
    {
        // INVALID is said of more than a year, and of what is over but for the grace that a site may give.
        if (answer is "UNLIMITED" or "NOT_SET" or "INVALID") return null;
        string[] parts = answer.Split('-', ':');
        bool hasDays = answer.Contains('-', StringComparison.Ordinal);
        if (parts.Length == (hasDays ? 4 : parts.Length == 2 ? 2 : 3))
        {
            long[] numbers = [.. parts.Select(Number)];
            if (!numbers.Contains(-1))
            {
                return TimeSpan.FromDays(hasDays ? numbers[0] : 0) +
                    TimeSpan.FromHours(numbers.Length > 2 ? numbers[^3] : 0) +
                    TimeSpan.FromSeconds(60 * numbers[^2] + numbers[^1]);
            }
        }

        throw Unanswered($"'{answer}' of squeue is no time");
    }

    /// <summary>One task of an array has the number of the whole as its own: all answer to it.</summary>
    private static string? Task() =>
        Variable("SLURM_ARRAY_JOB_ID") is { } array && Variable("SLURM_ARRAY_TASK_ID") is { } task
            ? $"{array}_{task}" : null;

    private static string? Variable(string name) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;

    private static long Number(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : -1;

    private static string Ask(string job)
    {
        try
        {
            using Process squeue = Process.Start(
                new ProcessStartInfo("squeue", ["--noheader", "--jobs", job, "--format", "%L"])
                {
                    RedirectStandardError = true,
                    RedirectStandardOutput = true,
                })!;
            Task<string> errors = squeue.StandardError.ReadToEndAsync();
            string answer = squeue.StandardOutput.ReadToEnd().Trim();
            squeue.WaitForExit();
            if (squeue.ExitCode == 0) return answer;
            throw Unanswered($"squeue failed with exit code {squeue.ExitCode}: {errors.Result.Trim()}");
        }
        catch (Win32Exception error)
        {
            throw Unanswered($"squeue cannot be run: {error.Message}");
        }
    }

    private static TimeSpan NotNegative(TimeSpan time) => time < TimeSpan.Zero ? TimeSpan.Zero : time;

    private static SnapshotException Unanswered(string why) => new(
        SnapshotErrorCode.Unsupported,
        $"Slurm does not say when the time of this job is up: {why}. Give the time limit otherwise.");
}
