using System.Globalization;
using System.Runtime.Versioning;
using Snapshot.Mpi;
using Snapshot.Tests.Session;
using Xunit;

namespace Snapshot.Tests.Mpi.Slurm;

/// <summary>How much time a batch job has left, by what Slurm says in its variables and by squeue.</summary>
[SupportedOSPlatform("linux")]
public sealed class BatchSystemTests : IDisposable
{
    private static readonly string[] s_names =
    [
        "PATH", "SLURM_JOB_ID", "SLURM_JOB_END_TIME", "SLURM_ARRAY_JOB_ID", "SLURM_ARRAY_TASK_ID",
    ];

    private readonly TemporaryStore _store = new();
    private readonly Dictionary<string, string?> _before =
        s_names.ToDictionary(name => name, Environment.GetEnvironmentVariable);

    public BatchSystemTests()
    {
        foreach (string name in s_names.Skip(1)) Environment.SetEnvironmentVariable(name, null);
    }

    [Theory]
    [InlineData("0:07", 7)]
    [InlineData("59:59", 3_599)]
    [InlineData("1:00:00", 3_600)]
    [InlineData("23:59:59", 86_399)]
    [InlineData("1-00:00:01", 86_401)]
    [InlineData("364-02:03:04", 364 * 86_400 + 7_384)]
    public void A_time_of_squeue_is_so_many_seconds(string answer, int seconds) =>
        Assert.Equal(TimeSpan.FromSeconds(seconds), BatchSystem.Parse(answer));

    [Theory]
    [InlineData("UNLIMITED")]
    [InlineData("NOT_SET")]
    [InlineData("INVALID")]
    public void A_job_without_an_end_has_no_time_limit(string answer) =>
        Assert.Null(BatchSystem.Parse(answer));

    [Theory]
    [InlineData("")]
    [InlineData("7")]
    [InlineData("1:2:3:4")]
    [InlineData("1-02:03")]
    [InlineData("1:-2")]
    [InlineData("1:5x")]
    [InlineData("1:59\n1:59")]
    public void What_is_no_time_is_refused(string answer)
    {
        SnapshotException error = Assert.Throws<SnapshotException>(() => BatchSystem.Parse(answer));
        Assert.Equal(
            (SnapshotErrorCode.Unsupported,
                $"Slurm does not say when the time of this job is up: '{answer}' of squeue is no time. " +
                "Give the time limit otherwise."),
            (error.Code, error.Message));
    }

    [Fact]
    public void Outside_of_a_batch_job_nobody_is_asked()
    {
        Answer("exit 1");
        Assert.Null(BatchSystem.TimeLeft());
    }

    [Fact]
    public void Of_a_job_squeue_is_asked_by_its_number_and_of_an_array_by_its_task()
    {
        string asked = _store.File("asked");
        Answer($"echo \"$@\" >> {asked}; echo 2-01:00:00");
        Environment.SetEnvironmentVariable("SLURM_JOB_ID", "17");
        Assert.Equal(TimeSpan.FromHours(49), BatchSystem.TimeLeft());
        Environment.SetEnvironmentVariable("SLURM_ARRAY_JOB_ID", "17");
        Environment.SetEnvironmentVariable("SLURM_ARRAY_TASK_ID", "3");
        Assert.Equal(TimeSpan.FromHours(49), BatchSystem.TimeLeft());
        Assert.Equal(
            ["--noheader --jobs 17 --format %L", "--noheader --jobs 17_3 --format %L"],
            File.ReadAllLines(asked));
    }

    [Fact]
    public void Where_Slurm_says_when_the_job_ends_nobody_is_asked()
    {
        Answer("exit 1");
        Environment.SetEnvironmentVariable("SLURM_JOB_ID", "17");
        long now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        Environment.SetEnvironmentVariable(
            "SLURM_JOB_END_TIME", (now + 1_000).ToString(CultureInfo.InvariantCulture));
        Assert.InRange(BatchSystem.TimeLeft()!.Value.TotalSeconds, 900, 1_000);
        Environment.SetEnvironmentVariable(
            "SLURM_JOB_END_TIME", (now - 1_000).ToString(CultureInfo.InvariantCulture));
        Assert.Equal(TimeSpan.Zero, BatchSystem.TimeLeft());
        foreach (string wrong in (string[])["soon", "-1", "99999999999999"])
        {
            Environment.SetEnvironmentVariable("SLURM_JOB_END_TIME", wrong);
            SnapshotException error = Assert.Throws<SnapshotException>(() => BatchSystem.TimeLeft());
            Assert.Contains(
                $"SLURM_JOB_END_TIME is '{wrong}', which is no time", error.Message,
                StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_squeue_that_fails_or_is_missing_is_an_error_with_its_words()
    {
        Environment.SetEnvironmentVariable("SLURM_JOB_ID", "17");
        Answer("echo Invalid job id specified >&2; exit 1");
        Assert.Contains(
            "squeue failed with exit code 1: Invalid job id specified.",
            Assert.Throws<SnapshotException>(() => BatchSystem.TimeLeft()).Message, StringComparison.Ordinal);
        Environment.SetEnvironmentVariable("PATH", _store.File("nothing"));
        Assert.Contains(
            "squeue cannot be run: ",
            Assert.Throws<SnapshotException>(() => BatchSystem.TimeLeft()).Message, StringComparison.Ordinal);
    }

    public void Dispose()
    {
        foreach ((string name, string? value) in _before) Environment.SetEnvironmentVariable(name, value);
        _store.Dispose();
    }

    /// <summary>A squeue that comes first on the path.</summary>
    private void Answer(string script)
    {
        string squeue = _store.File("squeue");
        File.WriteAllText(squeue, $"#!/bin/sh\n{script}\n");
        File.SetUnixFileMode(squeue, (UnixFileMode)0b111_000_000);
        Environment.SetEnvironmentVariable("PATH", $"{Path.GetDirectoryName(squeue)}:{_before["PATH"]}");
    }
}
