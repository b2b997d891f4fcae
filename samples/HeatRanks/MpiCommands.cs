using System.Diagnostics;
using KillDemo;

namespace HeatRanks;

/// <summary>The programs of one family of MPI on this machine.</summary>
/// <param name="Family">openmpi or mpich.</param>
/// <param name="Run">Starts ranks.</param>
/// <param name="Compile">The compiler that belongs to it.</param>
internal sealed record MpiCommands(string Family, string Run, string Compile)
{
    internal static readonly string[] Families = ["openmpi", "mpich"];

    /// <exception cref="RunException">The machine has none, or not that one.</exception>
    internal static MpiCommands Find(string? family)
    {
        foreach (string candidate in family is null ? Families : [family])
        {
            // Where there are several, as there may be on Debian, each has names of its own.
            if (Path($"mpirun.{candidate}") is { } own && Path($"mpicc.{candidate}") is { } its)
                return new MpiCommands(candidate, own, its);
            if (Path("mpirun") is { } run && Path("mpicc") is { } compile && Is(run, candidate))
                return new MpiCommands(candidate, run, compile);
        }

        throw new RunException(
            family is null
                ? "There is no mpirun: install openmpi-bin and libopenmpi-dev, or mpich and libmpich-dev."
                : $"There is no mpirun and mpicc of {family} on the path.");
    }

    /// <summary>Starts a program as so many ranks.</summary>
    internal ProcessStartInfo Start(int ranks, IEnumerable<string> command)
    {
        // More ranks than processors are what a test of restarts has, and a demo on a laptop.
        string[] crowded = Family == "openmpi"
            ? ["--oversubscribe", "--mca", "mpi_yield_when_idle", "1"]
            : [];
        ProcessStartInfo start = new(Run, [.. crowded, "-np", $"{ranks}", .. command])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["MPICC"] = Compile;
        start.Environment["TERM"] = "dumb"; // Open MPI gives ranks a terminal, which .NET would set up
        start.Environment["OMPI_ALLOW_RUN_AS_ROOT"] = "1";
        start.Environment["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1";
        return start;
    }

    private static string? Path(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':')
            .Select(place => System.IO.Path.Combine(place, program)).FirstOrDefault(File.Exists);

    /// <summary>Whether an mpirun says that it is of the family.</summary>
    private static bool Is(string run, string family)
    {
        using Process asked = Process.Start(
            new ProcessStartInfo(run, ["--version"])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
        Task<string> errors = asked.StandardError.ReadToEndAsync();
        string said = asked.StandardOutput.ReadToEnd() + errors.Result;
        asked.WaitForExit();
        return said.Contains(family == "openmpi" ? "Open MPI" : "HYDRA", StringComparison.OrdinalIgnoreCase);
    }
}
