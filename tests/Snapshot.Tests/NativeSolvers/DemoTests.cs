using System.Text.Json;
using KillDemo;
using Snapshot.Tests.Structure;
using Snapshot.Tests.Threads.Native;
using Xunit;

namespace Snapshot.Tests.NativeSolvers;

/// <summary>The sample as a process: solvers in C++ and Fortran, killed, restarted, compared.</summary>
public sealed class DemoTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("snapshot-ccs-");

    [ToolFact("g++", "gfortran")]
    public void Killed_at_random_moments_the_result_is_that_of_an_uninterrupted_run()
    {
        string store = Path.Combine(_directory.FullName, "run");
        ProgramResult demo = NativeSolvers(
            "--threads", "2", "--size", "200", "--steps", "2000", "--every-steps", "40", "--kills", "3",
            "--store", store,
            "--json");
        Assert.True(demo.ExitCode == 0, demo.ToString());
        JsonElement report = JsonDocument.Parse(demo.Output.TrimEnd().Split('\n')[^1]).RootElement;
        Assert.True(report.GetProperty("equal").GetBoolean(), demo.ToString());
        Assert.Equal(3, report.GetProperty("kills").GetInt32());
        Assert.StartsWith(
            "2 threads integrated 2000 functions each, ", report.GetProperty("summary").GetString(),
            StringComparison.Ordinal);
        Assert.Equal(4, File.ReadAllLines(Path.Combine(store, "results.txt")).Length);
    }

    [ToolFact("g++", "gfortran")]
    public void A_finished_run_is_found_again_and_another_one_is_refused()
    {
        string store = Path.Combine(_directory.FullName, "run");
        string[] options = ["run", "--threads", "2", "--size", "64", "--every-steps", "50", "--store", store,
            "--json"];
        RunEvent[] first = EventsOf(NativeSolvers([.. options, "--steps", "400"]));
        Assert.Null(Assert.IsType<RunEvent.Started>(first[0]).Generation);
        Assert.Contains(first, happened => happened is RunEvent.Committed);
        RunEvent[] again = EventsOf(NativeSolvers([.. options, "--steps", "400"]));
        Assert.NotNull(Assert.IsType<RunEvent.Started>(again[0]).Generation);
        Assert.Equal(first[^1], again[^1]);

        ProgramResult other = NativeSolvers([.. options, "--steps", "500"]);
        Assert.Equal(1, other.ExitCode);
        Assert.Contains(
            "holds a run of 400 steps with 64 points a side", other.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Help_names_the_options_and_misuse_is_exit_code_2()
    {
        ProgramResult help = NativeSolvers("--help");
        Assert.Equal(0, help.ExitCode);
        Assert.All(
            (string[])["--threads", "--size", "--steps", "--every-steps", "--kills", "--store", "run"],
            option => Assert.Contains(option, help.Output, StringComparison.Ordinal));
        ProgramResult misuse = NativeSolvers("--threads", "none");
        Assert.Equal(2, misuse.ExitCode);
        Assert.StartsWith("native: Option '--threads': 'none'", misuse.Error, StringComparison.Ordinal);
    }

    public void Dispose() => _directory.Delete(recursive: true);

    private static RunEvent[] EventsOf(ProgramResult result)
    {
        Assert.True(result.ExitCode == 0, result.ToString());
        return [.. result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(
            RunEvent.FromLine)];
    }

    private ProgramResult NativeSolvers(params string[] arguments) =>
        Repository.Run(
            _directory.FullName, Path.Combine(AppContext.BaseDirectory, "NativeSolvers"), arguments);
}
