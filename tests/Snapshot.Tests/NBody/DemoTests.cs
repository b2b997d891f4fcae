using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using KillDemo;
using Snapshot.Tests.Structure;
using Xunit;

namespace Snapshot.Tests.NBody;

/// <summary>The sample as a process: killed, restarted, compared.</summary>
public sealed class DemoTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("snapshot-nbody-");

    /// <summary>
    /// One demo of five kills; as many as there is time for when SNAPSHOT_SOAK_SECONDS says so. The last pack
    /// of bodies is not full.
    /// </summary>
    [Fact]
    public void Killed_at_random_moments_the_result_is_that_of_an_uninterrupted_run_and_of_the_plain_formula()
    {
        const int Bodies = 254, Fibers = 64, Steps = 60;
        string expectedResults = new PlainCluster(Bodies).ResultsOf(Steps, bodiesPerFiber: 4);
        PlainCluster expected = new(Bodies);
        for (int step = 0; step < Steps; step++) expected.Advance();

        TimeSpan time = Soak.Time(0);
        Stopwatch passed = Stopwatch.StartNew();
        int seed = 1;
        do
        {
            string store = Path.Combine(_directory.FullName, $"run-{seed}");
            ProgramResult demo = NBody(
                "--bodies", Text(Bodies), "--fibers", Text(Fibers), "--steps", Text(Steps), "--threads", "3",
                "--every-steps", "3", "--kills", "5", "--seed", Text(seed), "--store", store, "--json");
            Assert.True(demo.ExitCode == 0, $"seed {seed}: {demo}");
            JsonElement report = JsonDocument.Parse(demo.Output.TrimEnd().Split('\n')[^1]).RootElement;
            Assert.True(report.GetProperty("equal").GetBoolean(), $"seed {seed}: {demo}");
            Assert.Equal(5, report.GetProperty("kills").GetInt32());
            Assert.Equal(expected.Checksum(), report.GetProperty("checksum").GetString());
            Assert.Equal(expectedResults, File.ReadAllText(Path.Combine(store, "results.txt")));
            Assert.StartsWith(
                "64 fibers of 3 threads, 60 steps, ", report.GetProperty("summary").GetString(),
                StringComparison.Ordinal);
            seed++;
        }
        while (passed.Elapsed < time);
    }

    [Theory]
    [InlineData("1", "1")]
    [InlineData("2", "7")]
    [InlineData("4", "25")]
    public void The_final_state_does_not_depend_on_threads_or_fibers(string threads, string fibers)
    {
        PlainCluster expected = new(100);
        for (int step = 0; step < 10; step++) expected.Advance();
        ProgramResult run = NBody(
            "run", "--bodies", "100", "--fibers", fibers, "--threads", threads, "--steps", "10",
            "--every-steps", "1",
            "--store", Path.Combine(_directory.FullName, "run"), "--json");
        Assert.True(run.ExitCode == 0, run.ToString());
        Assert.Equal(expected.Checksum(), Assert.IsType<RunEvent.Finished>(EventsOf(run)[^1]).Checksum);
    }

    [Fact]
    public void A_finished_run_is_found_again_another_one_is_refused_and_a_shortened_results_file_is_noticed()
    {
        string store = Path.Combine(_directory.FullName, "run");

        // Long enough for several checkpoints: the newest image is surely not from before the first results.
        string[] options =
        [
            "run", "--fibers", "10", "--steps", "20000", "--threads", "2", "--every-steps", "9", "--store",
            store,
            "--json",
        ];
        ProgramResult first = NBody([.. options, "--bodies", "40"]);
        Assert.True(first.ExitCode == 0, first.ToString());
        ProgramResult again = NBody([.. options, "--bodies", "40"]);
        Assert.True(again.ExitCode == 0, again.ToString());
        Assert.Equal(EventsOf(first)[^1], EventsOf(again)[^1]);
        Assert.NotNull(Assert.IsType<RunEvent.Started>(EventsOf(again)[0]).Generation);

        ProgramResult other = NBody([.. options, "--bodies", "44"]);
        Assert.Equal(1, other.ExitCode);
        Assert.Equal(
            $"nbody: '{store}' has a simulation with --bodies 40, not 44; use another.\n", other.Error);

        File.WriteAllText(Path.Combine(store, "results.txt"), "");
        ProgramResult shortened = NBody([.. options, "--bodies", "40"]);
        Assert.Equal(1, shortened.ExitCode);
        Assert.Contains("results.txt' has 0 bytes", shortened.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Help_names_the_options_misuse_is_exit_code_2_and_a_bad_place_1()
    {
        ProgramResult help = NBody("--help");
        Assert.Equal(0, help.ExitCode);
        Assert.All(
            (string[])["--bodies", "--fibers", "--threads", "--kills", "--store", "run"],
            option => Assert.Contains(option, help.Output, StringComparison.Ordinal));
        ProgramResult misuse = NBody("--bodies", "16", "--fibers", "5");
        Assert.Equal(2, misuse.ExitCode);
        Assert.Contains("nbody: Option '--fibers': 16 bodies", misuse.Error, StringComparison.Ordinal);
        File.WriteAllText(Path.Combine(_directory.FullName, "something"), "");
        ProgramResult notEmpty = NBody("--store", _directory.FullName);
        Assert.Equal(1, notEmpty.ExitCode);
        Assert.Contains("is not empty", notEmpty.Error, StringComparison.Ordinal);
    }

    public void Dispose() => _directory.Delete(recursive: true);

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static RunEvent[] EventsOf(ProgramResult result) =>
        [.. result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(RunEvent.FromLine)];

    private ProgramResult NBody(params string[] arguments) =>
        Repository.Run(_directory.FullName, Path.Combine(AppContext.BaseDirectory, "NBody"), arguments);
}
