using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Snapshot.Tests.Structure;
using Xunit;

namespace Snapshot.Tests.Mpi.Slurm;

/// <summary>
/// A cluster of Slurm that is this machine: controller, node and authentication, with all of their files in a
/// temporary folder. Two partitions have the node, and jobs of "urgent" take it from jobs of "common".
/// </summary>
public sealed class SlurmMachine : IDisposable
{
    internal static readonly string[] Programs =
        ["munged", "slurmctld", "slurmd", "sbatch", "scontrol", "scancel", "squeue", "srun"];

    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(15);
    private readonly List<Process> _daemons = [];
    private DirectoryInfo? _root;

    /// <summary>The folder, of which jobs have what they write, too. Starts Slurm the first time.</summary>
    internal string Root => _root?.FullName ?? Start();

    private string Configuration => Path.Combine(_root!.FullName, "slurm.conf");

    /// <summary>Queues a script; its output goes to a file that is named after it.</summary>
    /// <returns>The number of the job.</returns>
    internal int Submit(string name, string[] options, string[] script)
    {
        string[] where = ["--parsable", $"--output={Output(name)}", "--chdir", Root];
        return int.Parse(Say("sbatch", [.. where, .. options, .. script]), CultureInfo.InvariantCulture);
    }

    internal string Output(string name) => Path.Combine(Root, $"{name}.out");

    /// <summary>What Slurm says of a job, or of the task of an array.</summary>
    internal Dictionary<string, string> Show(string job) =>
        Say("scontrol", "show", "job", job, "--oneliner").Split(' ')
            .Select(word => word.Split('=', 2)).Where(word => word.Length == 2)
            .DistinctBy(word => word[0]).ToDictionary(word => word[0], word => word[1]);

    internal static bool IsOver(Dictionary<string, string> shown) =>
        shown["JobState"] is "COMPLETED" or "FAILED" or "TIMEOUT" or "CANCELLED" or "NODE_FAIL";

    /// <summary>Waits until a job is over, and not queued again. How often it was.</summary>
    internal int WaitUntilDone(string job, string name)
    {
        Dictionary<string, string> shown = [];
        WaitUntil(
            () => IsOver(shown = Show(job)),
            () => $"{string.Join(' ', shown)}\n{File.ReadAllText(Output(name))}");
        string said = File.ReadAllText(Output(name));
        Assert.True(shown["JobState"] == "COMPLETED", $"{string.Join(' ', shown)}\n{said}");
        return int.Parse(shown["Restarts"], CultureInfo.InvariantCulture);
    }

    /// <param name="holds">What is waited for.</param>
    /// <param name="otherwise">What to say when it does not come.</param>
    internal static void WaitUntil(Func<bool> holds, Func<string> otherwise)
    {
        Stopwatch time = Stopwatch.StartNew();
        while (!holds())
        {
            if (time.Elapsed > s_patience) Assert.Fail($"not within {s_patience}: {otherwise()}");
            Thread.Sleep(500); // nobody tells but Slurm, when it is asked
        }
    }

    public void Dispose()
    {
        if (_root is null) return;
        try
        {
            Say("scancel", "--full", "--signal=KILL", "--state=RUNNING");
            Say("scancel", "--user", Environment.UserName);
            WaitUntil(() => Say("squeue", "--noheader").Length == 0, () => "cancelled jobs are there");
        }
        finally
        {
            foreach (Process daemon in Enumerable.Reverse(_daemons))
            {
                daemon.Kill(entireProcessTree: true);
                daemon.WaitForExit();
                daemon.Dispose();
            }

            _root.Delete(recursive: true);
        }
    }

    private string Start()
    {
        _root = Directory.CreateTempSubdirectory("snapshot-slurm-");
        string At(string name) => Path.Combine(_root.FullName, name);
        File.SetUnixFileMode(_root.FullName, (UnixFileMode)0b111_101_101); // munged wants all to reach it
        Directory.CreateDirectory(At("state"));
        Directory.CreateDirectory(At("spool"));
        File.WriteAllBytes(At("munge.key"), RandomNumberGenerator.GetBytes(128));
        File.SetUnixFileMode(At("munge.key"), UnixFileMode.UserRead);
        File.WriteAllText(Configuration, ConfigurationText(_root.FullName));
        Run(
            "munged", "--foreground", "--force", $"--key-file={At("munge.key")}",
            $"--socket={At("munge.socket")}", $"--pid-file={At("munged.pid")}",
            $"--log-file={At("munged.log")}", $"--seed-file={At("munged.seed")}");
        WaitUntil(() => File.Exists(At("munge.socket")), () => File.ReadAllText(At("munged.log")));
        Run("slurmctld", "-D", "-f", Configuration);
        Run("slurmd", "-D", "-f", Configuration);
        WaitUntil(
            () => Repository.Run(Command("scontrol", "show", "node")).Output.Contains(
                "State=IDLE ", StringComparison.Ordinal),
            () => File.ReadAllText(At("slurmctld.log")) + File.ReadAllText(At("slurmd.log")));
        return _root.FullName;
    }

    /// <summary>
    /// Two minutes pass at a site between a job that is queued again and its next start: until no credential
    /// of the last one is valid. Here ten seconds do.
    /// </summary>
    private static string ConfigurationText(string root)
    {
        string host = Dns.GetHostName().Split('.')[0];
        return $"""
            ClusterName=one
            SlurmctldHost={host}(127.0.0.1)
            SlurmctldPort={FreePort()}
            SlurmdPort={FreePort()}
            SlurmUser={Environment.UserName}
            SlurmdUser={Environment.UserName}
            AuthType=auth/munge
            AuthInfo=socket={root}/munge.socket,cred_expire=10
            StateSaveLocation={root}/state
            SlurmdSpoolDir={root}/spool
            TmpFS={root}
            SlurmctldPidFile={root}/slurmctld.pid
            SlurmdPidFile={root}/slurmd.pid
            SlurmctldLogFile={root}/slurmctld.log
            SlurmdLogFile={root}/slurmd.log
            ProctrackType=proctrack/linuxproc
            TaskPlugin=task/none
            AccountingStorageType=accounting_storage/none
            JobAcctGatherType=jobacct_gather/none
            SelectType=select/cons_tres
            SelectTypeParameters=CR_CPU
            SchedulerParameters=bf_interval=5,sched_interval=5
            PreemptType=preempt/partition_prio
            PreemptMode=REQUEUE
            KillWait=10
            JobRequeue=1
            SlurmdParameters=config_overrides
            NodeName={host} NodeAddr=127.0.0.1 CPUs=2
            PartitionName=common Nodes=ALL Default=YES PriorityTier=1 GraceTime=60
            PartitionName=urgent Nodes=ALL PriorityTier=2 PreemptMode=OFF

            """;
    }

    private static int FreePort()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private void Run(string daemon, params string[] arguments)
    {
        Process process = Process.Start(Command(daemon, arguments))!;
        process.OutputDataReceived += static (_, _) => { }; // they say in their logs what matters
        process.ErrorDataReceived += static (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        _daemons.Add(process);
    }

    private string Say(string program, params string[] arguments)
    {
        ProgramResult result = Repository.Run(Command(program, arguments));
        Assert.True(result.ExitCode == 0, $"{program}: {result.Output}{result.Error}");
        return result.Output.Trim();
    }

    private ProcessStartInfo Command(string program, params string[] arguments)
    {
        ProcessStartInfo start = new(program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["SLURM_CONF"] = Configuration;
        start.Environment["MPICC"] = "mpicc.openmpi";
        start.Environment["TERM"] = "dumb"; // Open MPI gives ranks a terminal, which .NET would set up
        start.Environment["OMPI_ALLOW_RUN_AS_ROOT"] = "1";
        start.Environment["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1";
        return start;
    }
}
