using System.Text.Json;
using HeatDiffusion;
using KillDemo;
using Snapshot.Tests.Structure;
using Xunit;

namespace Snapshot.Tests.HeatDiffusion;

/// <summary>The sample as a process: killed, restarted, compared.</summary>
public sealed class DemoTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("snapshot-heat-");

    [Fact]
    public void Killed_four_times_the_result_is_that_of_an_uninterrupted_run_and_of_the_plain_formula()
    {
        string output = Path.Combine(_directory.FullName, "final.pgm");
        ProgramResult demo = Heat(
            "--size", "128", "--steps", "400", "--threads", "4", "--every-steps", "20", "--kills", "4",
            "--seed", "1",
            "--store", Path.Combine(_directory.FullName, "run"), "--output", output, "--json");
        Assert.True(demo.ExitCode == 0, demo.ToString());

        JsonElement report = JsonDocument.Parse(demo.Output.TrimEnd().Split('\n')[^1]).RootElement;
        Assert.True(report.GetProperty("equal").GetBoolean());
        Assert.Equal(4, report.GetProperty("kills").GetInt32());
        Assert.Equal(
            PlainHeat.ChecksumOf(HeatOptions.ShippedInput, 128, 400),
            report.GetProperty("checksum").GetString());
        Assert.True(report.GetProperty("generations").GetInt32() > 0);
        Assert.True(report.GetProperty("bytesWritten").GetInt64() > 0);
        Assert.True(
            report.GetProperty("bytesChanged").GetInt64() >= report.GetProperty("generations").GetInt32() *
                4096L);
        double median = report.GetProperty("pauseMsMedian").GetDouble();
        Assert.InRange(report.GetProperty("pauseMsMax").GetDouble(), median, double.MaxValue);
        Assert.True(median > 0);
        Assert.Equal((128, 128), (Pgm.Read(output).Width, Pgm.Read(output).Height));
    }

    [Fact]
    public void With_fibers_the_result_is_the_same_and_survives_kills_too()
    {
        string[] options = ["--size", "96", "--steps", "300", "--threads", "3", "--every-steps", "20",
            "--json"];
        string run = Path.Combine(_directory.FullName, "run"), threads =
            Path.Combine(_directory.FullName, "threads");
        ProgramResult demo = Heat([.. options, "--fibers", "--kills", "3", "--seed", "2", "--store", run,
            "--output", Path.Combine(_directory.FullName, "final.pgm")]);
        Assert.True(demo.ExitCode == 0, demo.ToString());
        JsonElement report = JsonDocument.Parse(demo.Output.TrimEnd().Split('\n')[^1]).RootElement;
        Assert.Equal(3, report.GetProperty("kills").GetInt32());
        string expected = PlainHeat.ChecksumOf(HeatOptions.ShippedInput, 96, 300);
        Assert.Equal(expected, report.GetProperty("checksum").GetString());

        ProgramResult plain = Heat(["run", .. options, "--store", threads]);
        Assert.Equal(expected, Assert.IsType<RunEvent.Finished>(EventsOf(plain)[^1]).Checksum);
        Assert.Equal(
            File.ReadAllBytes(Path.Combine(threads, "results.txt")),
            File.ReadAllBytes(Path.Combine(run, "results.txt")));

        ProgramResult other = Heat(["run", .. options, "--store", run]);
        Assert.Equal(1, other.ExitCode);
        Assert.Equal($"heat: '{run}' has a simulation with --fibers.\n", other.Error);
    }

    [Fact]
    public void A_finished_run_is_found_again_and_another_one_is_refused()
    {
        string store = Path.Combine(_directory.FullName, "run");
        string[] options =
            ["run", "--steps", "60", "--threads", "3", "--every-steps", "10", "--store", store, "--json"];
        ProgramResult first = Heat([.. options, "--size", "40"]);
        Assert.True(first.ExitCode == 0, first.ToString());
        ProgramResult again = Heat([.. options, "--size", "40"]);
        Assert.Equal(EventsOf(first)[^1], EventsOf(again)[^1]);
        Assert.NotNull(Assert.IsType<RunEvent.Started>(EventsOf(again)[0]).Generation);

        ProgramResult other = Heat([.. options, "--size", "41"]);
        Assert.Equal(1, other.ExitCode);
        Assert.Equal($"heat: '{store}' has a simulation with --size 40, not 41; use another.\n", other.Error);
    }

    [Fact]
    public void A_shortened_results_file_is_noticed()
    {
        string store = Path.Combine(_directory.FullName, "run");
        string[] options =
        [
            "run", "--size", "40", "--steps", "60", "--threads", "2", "--every-steps", "20", "--store", store,
            "--json",
        ];
        Assert.Equal(0, Heat(options).ExitCode);
        File.WriteAllText(Path.Combine(store, "results.txt"), "");
        ProgramResult restarted = Heat(options);
        Assert.Equal(1, restarted.ExitCode);
        Assert.Contains("results.txt' has 0 bytes", restarted.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Misuse_is_exit_code_2_and_a_bad_place_1()
    {
        ProgramResult misuse = Heat("--kill", "3");
        Assert.Equal(2, misuse.ExitCode);
        Assert.Contains(
            "heat: Unrecognized command or argument '--kill'.", misuse.Error, StringComparison.Ordinal);
        File.WriteAllText(Path.Combine(_directory.FullName, "something"), "");
        ProgramResult notEmpty = Heat("--store", _directory.FullName);
        Assert.Equal(1, notEmpty.ExitCode);
        Assert.Contains("is not empty", notEmpty.Error, StringComparison.Ordinal);
    }

    public void Dispose() => _directory.Delete(recursive: true);

    private static RunEvent[] EventsOf(ProgramResult result) =>
        [.. result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(RunEvent.FromLine)];

    private ProgramResult Heat(params string[] arguments) =>
        Repository.Run(
            _directory.FullName, Path.Combine(AppContext.BaseDirectory, "HeatDiffusion"), arguments);
}
