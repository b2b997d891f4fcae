using System.Diagnostics;
using System.Runtime.Versioning;
using Snapshot.Tests.Session;
using Snapshot.Tests.Structure;
using Xunit;

namespace Snapshot.Tests.Mpi.Slurm;

/// <summary>
/// What the scripts of samples/slurm make of signals and exit codes, with programs of the test for mpirun,
/// srun and scontrol.
/// </summary>
[SupportedOSPlatform("linux")]
public sealed class BatchScriptTests : IDisposable
{
    private const int UserSignal1 = 10;

    private readonly TemporaryStore _store = new();

    public static TheoryData<string, string> Starts() => new()
    {
        { "time-limit.sh", "mpirun program argument --store directory" },
        { "preemption.sh", "srun --mpi=pmix program argument --store directory" },
        { "array.sh", "srun --mpi=pmix program argument --store directory/3" },
        { "local-disks.sh", "mpirun program argument --store /tmp/user-17 --partner --shared directory" },
    };

    [Theory]
    [MemberData(nameof(Starts))]
    public void A_job_that_exits_with_75_is_queued_again_and_no_other(string script, string start)
    {
        string requeue = $"scontrol requeue {(script == "array.sh" ? "16_3" : "17")}";
        Assert.Equal([start, requeue], Run(script, code: 75));
        Assert.Equal([start], Run(script, code: 3));
        Assert.Equal([start], Run(script, code: 75, restarts: 1000));
        string[] cleaning =
            script == "local-disks.sh" ? ["srun --ntasks-per-node=1 --ntasks=2 rm -rf /tmp/user-17"] : [];
        Assert.Equal([start, .. cleaning], Run(script, code: 0));
    }

    [Theory]
    [InlineData("time-limit.sh", 75, true)]
    [InlineData("time-limit.sh", 0, true)]
    [InlineData("time-limit.sh", 3, false)]
    [InlineData("local-disks.sh", 75, true)]
    [InlineData("local-disks.sh", 0, true)]
    public void A_script_hands_its_signal_on_and_waits_for_the_exit_code(
        string script, int code, bool isQueuedAgain)
    {
        string[] expected = isQueuedAgain ? ["told", "scontrol requeue 17"] : ["told"];
        Assert.Equal(expected, Run(script, code, isTold: true).Skip(1));
    }

    public void Dispose() => _store.Dispose();

    /// <summary>Runs a script, and returns what it called.</summary>
    private string[] Run(string script, int code, int restarts = 0, bool isTold = false)
    {
        string log = _store.File("log"), ready = _store.File("ready");
        File.Delete(log);
        File.Delete(ready);
        foreach (string name in (string[])["mpirun", "srun", "scontrol"])
        {
            string rest = name == "scontrol" ? "" : $$"""
                case "$*" in *rm*) exit 0 ;; esac
                {{(isTold ? $"trap 'echo told >> {log}; sleep 0.2; exit {code}' USR1" : $"exit {code}")}}
                touch {{ready}}
                for i in {1..600}; do sleep 0.1; done
                """;
            File.WriteAllText(_store.File(name), $"#!/bin/bash\necho {name} \"$@\" >> {log}\n{rest}\n");
            File.SetUnixFileMode(_store.File(name), (UnixFileMode)0b111_000_000);
        }

        ProcessStartInfo start = new(
            "bash",
            [Path.Combine(Repository.Root, "samples/slurm", script), "directory", "program", "argument"]);
        foreach ((string name, string value) in ((string, string)[])
            [
                ("PATH", $"{_store.File("")}:{Environment.GetEnvironmentVariable("PATH")}"),
                ("USER", "user"), ("SLURM_JOB_ID", "17"), ("SLURM_ARRAY_JOB_ID", "16"),
                ("SLURM_ARRAY_TASK_ID", "3"), ("SLURM_NNODES", "2"), ("SLURM_RESTART_COUNT", $"{restarts}"),
            ])
            start.Environment[name] = value;

        using Process process = Process.Start(start)!;
        if (isTold)
        {
            Assert.True(
                SpinWait.SpinUntil(() => File.Exists(ready), TimeSpan.FromSeconds(30)), "not started");
            using Process kill = Process.Start("kill", [$"-{UserSignal1}", $"{process.Id}"]);
            kill.WaitForExit();
        }

        process.WaitForExit();
        Assert.Equal(code, process.ExitCode);
        return File.ReadAllLines(log);
    }
}
