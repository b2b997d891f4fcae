using System.Diagnostics;
using System.Runtime.Versioning;
using Snapshot.Tests.Profiles;
using Snapshot.Tests.Structure;

namespace Snapshot.Tests.Mpi;

/// <summary>A verb of Snapshot.TestPrograms, run by several ranks.</summary>
/// <param name="ExitCode">Of mpirun.</param>
/// <param name="Output">What the ranks said, and mpirun.</param>
internal sealed record RankRun(int ExitCode, string Output)
{
    internal static RankRun Of(string family, int ranks, params string[] verb) =>
        Of(family, [], ranks, verb);

    /// <param name="family">Of MPI.</param>
    /// <param name="environment">Further variables.</param>
    /// <param name="ranks">How many.</param>
    /// <param name="verb">The verb and what it takes.</param>
    internal static RankRun Of(
        string family, (string Name, string Value)[] environment, int ranks, params string[] verb)
    {
        string program = Path.Combine(AppContext.BaseDirectory, "Snapshot.TestPrograms.dll");
        return Of(Repository.Run(new ProcessStartInfo(
            "dotnet", ["exec", program, .. Starter(family, environment, ranks, verb)])));
    }

    /// <summary>The same without privilege, whoever runs the tests.</summary>
    [SupportedOSPlatform("linux")]
    internal static RankRun AsOrdinaryUser(
        string family, (string Name, string Value)[] environment, int ranks, params string[] verb) =>
        Of(Profile.OrdinaryUser.Run(
            "Snapshot.TestPrograms", Starter(family, environment, ranks, verb)));

    private static string[] Starter(
        string family, (string Name, string Value)[] environment, int ranks, string[] verb) =>
    [
        "ranks-start", family, $"{ranks}",
        string.Join(';', environment.Select(variable => $"{variable.Name}={variable.Value}")), .. verb,
    ];

    internal static RankRun Of(ProgramResult result) => new(result.ExitCode, result.Output + result.Error);

    /// <summary>What a rank said, without its number.</summary>
    internal string[] SaidBy(int rank) =>
    [
        .. Output.Split('\n').Where(line => line.StartsWith($"{rank}: ", StringComparison.Ordinal))
            .Select(line => line[$"{rank}: ".Length..].TrimEnd()),
    ];

    /// <summary>The same; all ranks must have ended well.</summary>
    internal RankRun Good()
    {
        Xunit.Assert.True(ExitCode == 0, $"exit code {ExitCode}\n{Output}");
        return this;
    }
}
