using System.Diagnostics;
using System.Globalization;
using HeatRanks;

namespace Snapshot.TestPrograms;

/// <summary>
/// Starts a verb of this program as the ranks of a job, with the user and the rights it has.
/// </summary>
internal static class RankStarter
{
    private const int Hung = 124;

    /// <summary>A guard against hanging for ever, and no measure of anything.</summary>
    private static readonly TimeSpan s_guard = TimeSpan.FromSeconds(90);

    /// <param name="family">Of MPI.</param>
    /// <param name="ranks">How many.</param>
    /// <param name="variables">Of the environment, as <c>A=1;B=2</c>.</param>
    /// <param name="verb">The verb and what it takes.</param>
    internal static int Run(string family, string ranks, string variables, string[] verb)
    {
        string program = Path.Combine(AppContext.BaseDirectory, "Snapshot.TestPrograms.dll");
        ProcessStartInfo start = MpiCommands.Find(family).Start(
            int.Parse(ranks, CultureInfo.InvariantCulture), ["dotnet", "exec", program, .. verb]);
        start.RedirectStandardOutput = start.RedirectStandardError = false;
        start.Environment["DOTNET_TieredPGO"] = "0"; // begins sooner
        foreach (string variable in variables.Split(';', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] parts = variable.Split('=', 2);
            start.Environment[parts[0]] = parts[1];
        }

        using Process mpirun = Process.Start(start)!;
        if (mpirun.WaitForExit(s_guard)) return mpirun.ExitCode;
        mpirun.Kill(entireProcessTree: true);
        Console.Error.WriteLine($"the ranks had not ended after {s_guard}");
        return Hung;
    }
}
