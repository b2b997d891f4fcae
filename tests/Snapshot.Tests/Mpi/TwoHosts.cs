using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using Snapshot.Tests.Structure;

namespace Snapshot.Tests.Mpi;

/// <summary>
/// Two hosts on this machine: network namespaces on a bridge, each with processes, a host name and a
/// directory of its own, between which Open MPI has nothing but TCP. For root.
/// </summary>
internal sealed class TwoHosts : IDisposable
{
    internal const int RanksOfAHost = 2;

    // Several of them may be up on one machine.
    private static readonly string s_network = string.Create(
        CultureInfo.InvariantCulture,
        $"10.{64 + (Environment.ProcessId & 127)}.{Environment.ProcessId >> 7 & 255}");

    private readonly string _prefix = string.Create(
        CultureInfo.InvariantCulture, $"sn{Environment.ProcessId % 100_000}");

    private readonly string _agent;
    private readonly string _directory;

    /// <param name="directory">Where the agent is put, and the hosts' directories are.</param>
    internal TwoHosts(string directory)
    {
        Directory.CreateDirectory(directory);
        (_directory, _agent) = (directory, Path.Combine(directory, "agent"));
        try
        {
            Ip("link", "add", Bridge, "type", "bridge");
            Ip("addr", "add", $"{s_network}.254/24", "dev", Bridge);
            Ip("link", "set", Bridge, "up");
            for (int host = 0; host < 2; host++) AddHost(host);
        }
        catch
        {
            Dispose();
            throw;
        }

        // What mpirun starts its daemons with, in the place of ssh.
        File.WriteAllText(
            _agent,
            $"#!/bin/sh\nhost=$((${{1##*.}} - 1)); shift\n" +
            $"exec ip netns exec {_prefix}h$host unshare -u sh -c \"hostname host-$host; $*\"\n");
        File.SetUnixFileMode(
            _agent, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    private string Bridge => $"{_prefix}b";

    /// <summary>Why there can be none here, or null.</summary>
    internal static string? Obstacle { get; } = FindObstacle();

    /// <summary>A verb of Snapshot.TestPrograms as two ranks of each host.</summary>
    internal ProcessStartInfo Start(params string[] verb)
    {
        string program = Path.Combine(AppContext.BaseDirectory, "Snapshot.TestPrograms.dll");
        ProcessStartInfo start = new("mpirun.openmpi",
        [
            "--host", $"{s_network}.1:{RanksOfAHost},{s_network}.2:{RanksOfAHost}",
            "--mca", "plm_rsh_agent", _agent, "--mca", "orte_keep_fqdn_hostnames", "1",
            "--mca", "btl", "tcp,self", "--mca", "btl_tcp_if_include", $"{s_network}.0/24",
            "--mca", "oob_tcp_if_include", $"{s_network}.0/24", "--mca", "mpi_yield_when_idle", "1",
            "-x", "PATH", "-x", "MPICC", "-np", $"{2 * RanksOfAHost}", "dotnet", "exec", program, .. verb,
        ])
        { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["MPICC"] = "mpicc.openmpi";
        start.Environment["TERM"] = "dumb";
        start.Environment["OMPI_ALLOW_RUN_AS_ROOT"] = start.Environment["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] =
            "1";
        return start;
    }

    /// <summary>Ends all processes of a host at once, as a power cut does.</summary>
    internal void CutPower(int host)
    {
        foreach (string process in Ip("netns", "pids", Name(host)).Split(
            '\n', StringSplitOptions.TrimEntries))
        {
            if (process.Length > 0) Kill(int.Parse(process, CultureInfo.InvariantCulture));
        }
    }

    /// <summary>The host comes back with an empty disk.</summary>
    internal void EmptyDisk(int host) => Directory.Delete(DirectoryOf(host), recursive: true);

    internal string DirectoryOf(int host) => Path.Combine(_directory, $"host-{host}");

    public void Dispose()
    {
        for (int host = 0; host < 2; host++)
            Repository.Run(new ProcessStartInfo("ip", ["netns", "del", Name(host)]));
        Repository.Run(new ProcessStartInfo("ip", ["link", "del", Bridge]));
    }

    private static string? FindObstacle()
    {
        if (!Environment.IsPrivilegedProcess) return "only root may make hosts of namespaces";
        DirectoryInfo directory = Directory.CreateTempSubdirectory("snapshot-hosts-");
        try
        {
            new TwoHosts(directory.FullName).Dispose();
            return null;
        }
        catch (Exception error) when (error is InvalidOperationException or Win32Exception)
        {
            return $"hosts cannot be made of namespaces here: {error.Message}";
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    private static void Kill(int id)
    {
        try
        {
            using Process process = Process.GetProcessById(id);
            process.Kill();
        }
        catch (ArgumentException)
        {
            // It has ended by itself.
        }
    }

    private static string Ip(params string[] arguments)
    {
        ProgramResult result = Repository.Run(new ProcessStartInfo("ip", arguments));
        return result.ExitCode == 0
            ? result.Output
            : throw new InvalidOperationException($"ip {string.Join(' ', arguments)}: {result.Error}");
    }

    private string Name(int host) => $"{_prefix}h{host}";

    private void AddHost(int host)
    {
        string name = Name(host), outer = $"{_prefix}v{host}";
        Ip("netns", "add", name);
        Ip("link", "add", outer, "type", "veth", "peer", "name", "eth0", "netns", name);
        Ip("link", "set", outer, "master", Bridge, "up");
        Ip("-n", name, "addr", "add", $"{s_network}.{host + 1}/24", "dev", "eth0");
        Ip("-n", name, "link", "set", "eth0", "up");
        Ip("-n", name, "link", "set", "lo", "up");
    }
}
