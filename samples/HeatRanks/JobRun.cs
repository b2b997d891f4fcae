using System.ComponentModel;
using System.Diagnostics;
using System.Text;
using KillDemo;

namespace HeatRanks;

/// <summary>A run of the job: mpirun, and the ranks it started, which can be killed one by one.</summary>
internal sealed class JobRun : IDisposable
{
    private readonly Process _mpirun;
    private readonly string[] _rank;
    private readonly TaskCompletionSource _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task<string> _output;
    private readonly Task<string> _errors;

    private JobRun(Process mpirun, string[] rank)
    {
        _mpirun = mpirun;
        _rank = rank;
        _output = ReadAsync();
        _errors = mpirun.StandardError.ReadToEndAsync();
    }

    /// <summary>Ends when the ranks are about to compute, or have ended.</summary>
    internal Task Started => _started.Task;

    internal static JobRun Start(MpiCommands mpi, int ranks, RankProgram program, RankOptions options)
    {
        string[] rank = [.. program.Command, .. options.ToArguments()];
        return new JobRun(Process.Start(mpi.Start(ranks, rank))!, rank);
    }

    /// <summary>The exit code, when mpirun has ended; 0 when all ranks came to their end.</summary>
    internal async Task<int> EndAsync()
    {
        await _mpirun.WaitForExitAsync().ConfigureAwait(false);
        return _mpirun.ExitCode;
    }

    /// <summary>What the ranks said.</summary>
    internal async Task<string> SaidAsync() =>
        $"{await _output.ConfigureAwait(false)}{await _errors.ConfigureAwait(false)}".Trim();

    /// <summary>SIGKILL for a random rank; mpirun ends the others. False where none is left.</summary>
    internal bool KillOne(Random random)
    {
        int[] ranks = [.. Ranks()];
        if (ranks.Length == 0) return false;
        try
        {
            using Process victim = Process.GetProcessById(ranks[random.Next(ranks.Length)]);
            victim.Kill();
            return true;
        }
        catch (Exception error) when (error is ArgumentException or InvalidOperationException or
            Win32Exception)
        {
            return false; // it ended meanwhile
        }
    }

    /// <summary>The same for all ranks of a host at once. False where none is left.</summary>
    internal bool KillHost(int host, int hosts)
    {
        bool isKilled = false;
        foreach (int rank in Ranks())
        {
            try
            {
                string environment = File.ReadAllText($"/proc/{rank}/environ");
                if (RankPlace.Of(environment).HostOf(hosts) != host) continue;
                using Process victim = Process.GetProcessById(rank);
                victim.Kill();
                isKilled = true;
            }
            catch (Exception error) when (error is ArgumentException or InvalidOperationException or
                Win32Exception or IOException)
            {
                // It ended meanwhile.
            }
        }

        return isKilled;
    }

    public void Dispose()
    {
        if (!_mpirun.HasExited) _mpirun.Kill(entireProcessTree: true);
        _mpirun.Dispose();
    }

    private async Task<string> ReadAsync()
    {
        StringBuilder said = new();
        while (await _mpirun.StandardOutput.ReadLineAsync().ConfigureAwait(false) is { } line)
        {
            said.AppendLine(line);
            _started.TrySetResult(); // the first line is of rank 0, when all are restored
        }

        _started.TrySetResult();
        return said.ToString();
    }

    private IEnumerable<int> Ranks()
    {
        string line = string.Join('\0', _rank) + '\0';
        foreach (string place in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(place), out int process)) continue;
            string command;
            try
            {
                command = File.ReadAllText(Path.Combine(place, "cmdline"));
            }
            catch (IOException)
            {
                continue; // it ended meanwhile
            }

            if (command == line) yield return process;
        }
    }
}
