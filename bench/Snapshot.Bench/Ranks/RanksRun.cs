using System.Diagnostics;
using System.Text.Json;
using HeatRanks;
using KillDemo;

namespace Snapshot.Bench;

/// <summary>Programs started as the ranks of one family of MPI; each prints one JSON value.</summary>
internal sealed class RanksRun
{
    private readonly MpiCommands _mpi;

    /// <exception cref="RequirementException">The machine has none.</exception>
    internal RanksRun(string family)
    {
        try
        {
            _mpi = MpiCommands.Find(family);
        }
        catch (RunException missing)
        {
            throw new RequirementException(missing.Message.TrimEnd('.'), "or leave it out of --mpi.");
        }
    }

    /// <summary>This program, as so many ranks.</summary>
    internal T Run<T>(int ranks, params string[] arguments) =>
        RunProgram<T>(ranks, Self(arguments));

    /// <summary>
    /// Starts this program as so many ranks and kills all of them after a time, unless they end before.
    /// </summary>
    /// <returns>Whether they ended.</returns>
    internal bool RunUntilKilled(int ranks, TimeSpan time, params string[] arguments)
    {
        ProcessStartInfo start = _mpi.Start(ranks, Self(arguments));
        start.RedirectStandardError = false;
        using Process job = Process.Start(start)!;
        Action end = () => job.Kill(entireProcessTree: true);
        Interruption.Register(end);
        try
        {
            if (!job.WaitForExit(time))
            {
                end();
                job.WaitForExit();
                return false;
            }

            Interruption.EndIfInterrupted(job.ExitCode);
            return job.ExitCode == 0
                ? true
                : throw new IOException($"'{arguments[1]}' ended with {job.ExitCode}.");
        }
        finally
        {
            Interruption.Forget(end);
        }
    }

    /// <summary>Milliseconds in which MPI-IO writes the same state and syncs it, a median.</summary>
    internal double MpiIo(int ranks, string folder, long bytes, int rounds)
    {
        string program = Path.Combine(folder, "mpi_write"), state = Path.Combine(folder, "mpi_write.state");
        string source = Path.Combine(AppContext.BaseDirectory, "mpi_write.c");
        Output(new ProcessStartInfo(_mpi.Compile, ["-std=c11", "-O2", "-o", program, source])
        {
            RedirectStandardOutput = true,
        });
        double ms = Figures.Median(RunProgram<double[]>(ranks, [program, state, $"{bytes}", $"{rounds}"]));
        File.Delete(state);
        return ms;
    }

    private static string[] Self(string[] arguments) =>
        ["dotnet", "exec", typeof(RanksRun).Assembly.Location, .. arguments];

    private T RunProgram<T>(int ranks, IEnumerable<string> command)
    {
        ProcessStartInfo start = _mpi.Start(ranks, command);
        start.RedirectStandardError = false;
        return JsonSerializer.Deserialize<T>(Output(start))!;
    }

    private static string Output(ProcessStartInfo start)
    {
        using Process process = Process.Start(start)!;
        Action end = () => process.Kill(entireProcessTree: true);
        Interruption.Register(end);
        try
        {
            string output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            Interruption.EndIfInterrupted(process.ExitCode);
            return process.ExitCode == 0
                ? output
                : throw new IOException($"'{start.FileName}' ended with {process.ExitCode}: {output}");
        }
        finally
        {
            Interruption.Forget(end);
        }
    }
}
