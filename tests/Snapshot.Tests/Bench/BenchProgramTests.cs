using System.Diagnostics;
using System.Text.Json.Nodes;
using System.Xml.Linq;
using Snapshot.Bench;
using Snapshot.Tests.Profiles;
using Snapshot.Tests.Structure;
using Xunit;

namespace Snapshot.Tests.Bench;

/// <summary>The bench as a program, with sizes that take no time.</summary>
public sealed class BenchProgramTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("snapshot-bench-test-");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public void A_matrix_is_one_JSON_array_and_one_plot_and_leaves_nothing_behind()
    {
        string plot = Path.Combine(_directory.FullName, "crowd.svg");
        ProgramResult run = Run(
            "crowd", "--arena", "4MiB", "--threads", "1", "2", "--arenas", "1", "2", "--rounds", "1",
            "--mode", "stage",
            "--json", "--plot", plot, "--store", _directory.FullName);
        Assert.True(run.ExitCode == 0, run.ToString());
        JsonArray rows = JsonNode.Parse(run.Output)!.AsArray();
        Assert.Equal(4, rows.Count);
        Assert.All(rows, row => Assert.Equal("Stage", (string?)row!["mode"]));
        Assert.Equal("svg", XDocument.Load(plot).Root!.Name.LocalName);
        Assert.Equal([plot], Directory.GetFileSystemEntries(_directory.FullName));
    }

    [Fact]
    public void Each_kind_of_computation_runs_beside_checkpoints()
    {
        ProgramResult run = Run(
            "interference", "--arena", "4MiB", "--every", "0.01", "--seconds", "0.3", "--rounds", "1",
            "--mode", "stage", "--json", "--store", _directory.FullName);
        Assert.True(run.ExitCode == 0, run.ToString());
        JsonArray rows = JsonNode.Parse(run.Output)!.AsArray();
        Assert.Equal(Computation.Names, rows.Select(row => (string)row!["computation"]!));
        Assert.All(rows, row => Assert.True((double)row!["checkpointsPerRun"]! >= 1, run.Output));
    }

    [Fact]
    public void What_a_store_takes_on_disk_is_told_beside_the_state()
    {
        ProgramResult run = Run(
            "bytes", "--arena", "8MiB", "--dirty", "100", "--rounds", "4", "--mode", "stage", "--json",
            "--store", _directory.FullName);
        Assert.True(run.ExitCode == 0, run.ToString());
        JsonNode row = Assert.Single(JsonNode.Parse(run.Output)!.AsArray())!;
        Assert.InRange((long)row["stateBytes"]!, 8L << 20, 9L << 20);

        // Three images, the manifest and the lock.
        Assert.InRange((double)row["peakOverState"]!, 2.9, 3.1);
        Assert.Empty(_directory.GetFileSystemInfos());
    }

    [Fact]
    public void What_finds_written_pages_is_compared_and_each_mechanism_writes_the_same()
    {
        ProgramResult run = Run(
            "tracking", "--arena", "4MiB", "--dirty", "10", "--rounds", "2", "--json", "--store",
            _directory.FullName);
        Assert.True(run.ExitCode == 0, run.ToString());
        JsonArray rows = JsonNode.Parse(run.Output)!.AsArray();
        MachineCapabilities here = MachineCapabilities.Current;
        string[] mechanisms =
        [
            .. here[Capability.WriteTracking] ? ["WriteProtect"] : (string[])[],
            .. here[Capability.SoftDirty] ? ["SoftDirty"] : (string[])[],
            "ContentHash",
        ];
        Assert.Equal([.. mechanisms, .. mechanisms], rows.Select(row => (string)row!["tracking"]!));
        Assert.All(rows, row =>
        {
            Assert.Equal(
                (string)row!["tracking"]! == "ContentHash", (double)row["pauseOverContentHash"]! == 1);
            Assert.InRange((long)row["pagesWritten"]!, 204, 208);
            Assert.True((double)row["memsetMs"]! > 0, run.Output);
        });
        Assert.Empty(_directory.GetFileSystemInfos());
    }

    [Fact]
    public void Memory_of_the_program_is_captured_beside_hashing_all_of_it()
    {
        ProgramResult run = Run(
            "foreign", "--memory", "4MiB", "--rounds", "2", "--json", "--store", _directory.FullName);
        Assert.True(run.ExitCode == 0, run.ToString());
        JsonArray rows = JsonNode.Parse(run.Output)!.AsArray();
        Assert.Equal(
            ["random 0", "random 0", "random 16", "random 16", "dense 0", "dense 0", "dense 16", "dense 16"],
            rows.Select(row => $"{row!["pattern"]} {row["offset"]}"));
        string best = MachineCapabilities.Current[Capability.WriteTracking] ? "WriteProtect" : "ContentHash";
        Assert.Equal(
            Enumerable.Repeat((string[])[best, "ContentHash"], 4).SelectMany(pair => pair),
            rows.Select(row => (string)row!["tracking"]!));
        Assert.All(rows, row =>
        {
            Assert.Equal(204, (long)row!["pagesWritten"]!);
            Assert.True((double)row["callOverHashed"]! > 0, run.Output);
        });
        Assert.Empty(_directory.GetFileSystemInfos());
    }

    [Fact]
    public void What_checkpoints_take_in_all_is_one_JSON_object_with_its_baselines()
    {
        string plot = Path.Combine(_directory.FullName, "cost.svg");
        ProgramResult run = Run(
            "cost", "--arena", "4MiB", "--checkpoints", "2", "--epoch", "0.05", "--rounds", "1", "--json",
            "--store", _directory.FullName, "--plot", plot);
        Assert.True(run.ExitCode == 0, run.ToString());
        Assert.Contains(">fork, direct write<", File.ReadAllText(plot), StringComparison.Ordinal);
        JsonObject own = JsonNode.Parse(run.Output)!.AsObject();
        string[] figures =
            ["processorSecondsPerGiB", "lostMsPerIncrement", "pauseMsMedian", "longestGapMs", "writtenMiB"];
        Assert.All(figures, name => Assert.NotNull(own[name]));
        Assert.True((double)own["pauseMsMedian"]! > 0, run.Output);

        // Both images of so small an arena may be full; the second is empty where the first came late.
        Assert.InRange((double)own["writtenMiB"]!, 4, 9);
        Assert.Equal(2, own["byCheckpoint"]!.AsArray().Count);
        Assert.All(own["byCheckpoint"]!.AsArray(), row => Assert.True((double)row!["drainProcessorMs"]! > 0));
        Assert.Equal(
            ["application", "capture", "drain", "encode", "write", "serve", "other"],
            own["processor"]!.AsObject().Select(spender => spender.Key));
        Assert.Equal(
            ["all", "computing", "inKernel", "queued", "paused", "held"],
            own["lost"]!.AsObject().Select(cause => cause.Key));

        JsonArray baselines = own["baselines"]!.AsArray();
        Assert.Equal(baselines.Count, baselines.Select(row => (string)row!["name"]!).Distinct().Count());
        Assert.InRange(baselines.Count, 3, 8);
        Assert.All(baselines, row =>
            Assert.All(figures, name => Assert.True(row!.AsObject().ContainsKey(name), name)));
        Assert.Equal([plot], Directory.GetFileSystemEntries(_directory.FullName));
    }

    [MachineFact]
    [Needs(Programs = ["mpicc.openmpi", "mpirun.openmpi"], Toolchain = true)]
    public void Ranks_are_measured_with_all_levels_beside_MPI_IO()
    {
        ProgramResult run = Run(
            "ranks", "--mpi", "openmpi", "--ranks", "2", "--levels", "all", "--memory", "2MiB",
            "--rounds", "1", "--json", "--store", _directory.FullName);
        Assert.True(run.ExitCode == 0, run.ToString());
        JsonNode row = Assert.Single(JsonNode.Parse(run.Output)!.AsArray())!;
        Assert.Equal(("all", "Partner"), ((string?)row["levels"], (string?)row["restartedFrom"]));
        Assert.True((double)row["mpiIoMs"]! > 0, run.Output);

        // All of the state, without what is beside it in the arena.
        Assert.All(
            (string[])["ownMiB", "partnerMiB", "sharedMiB"],
            level => Assert.InRange((double)row[level]!, 1.9, 2.3));
        Assert.Empty(_directory.GetFileSystemInfos());
    }

    [Fact]
    public void A_simulation_is_the_same_each_time_also_on_a_busy_machine()
    {
        string[] simulate =
        [
            "simulate", "--ranks", "100000", "--levels", "own", "both", "--work", "10", "--repetitions", "3",
            "--interval", "young", "--json",
        ];
        ProgramResult run = RunAsTyped(simulate);
        Assert.True(run.ExitCode == 0, run.ToString());
        Assert.Equal(run.Output, RunAsTyped(simulate).Output);
        JsonArray rows = JsonNode.Parse(run.Output)!.AsArray();
        Assert.Equal(["own", "both"], rows.Select(row => (string)row!["levels"]!));
        Assert.Equal((double)rows[0]!["youngSeconds"]!, (double)rows[0]!["intervalSeconds"]!);
        Assert.True((double)rows[0]!["computes"]! < (double)rows[1]!["computes"]!, run.Output);
    }

    [Fact]
    public void The_kernels_own_copy_on_write_is_measured_in_a_process_of_its_own()
    {
        ProgramResult run = RunAsTyped(MemoryBaselineChild.CommandName, "8388608", "10", PagePattern.Random);
        Assert.True(run.ExitCode == 0, run.ToString());
        JsonNode figures = JsonNode.Parse(run.Output)!;
        Assert.Equal(204, (long)figures["Pages"]!);
        Assert.True((double)figures["ForkMs"]! > 0, run.Output);
    }

    [Fact]
    public void What_is_in_the_way_is_said_in_one_line()
    {
        ProgramResult run = Run("pause", "--arena", "1048576GiB", "--store", _directory.FullName);
        Assert.Equal(BenchExit.Failed, run.ExitCode);
        Assert.Single(run.Error.Trim().Split('\n'));
        Assert.Empty(_directory.GetFileSystemInfos());
    }

    [Fact]
    public void A_busy_machine_is_refused_unless_it_is_told_otherwise()
    {
        string[] crowd =
        [
            "crowd", "--arena", "4MiB", "--threads", "1", "--arenas", "1", "--rounds", "1", "--mode", "stage",
            "--store", _directory.FullName,
        ];
        using Process spinning = Process.Start(
            new ProcessStartInfo("sh", ["-c", "while :; do :; done"]) { RedirectStandardInput = true })!;
        try
        {
            ProgramResult refused = RunAsTyped(crowd);
            Assert.Equal((BenchExit.Failed, ""), (refused.ExitCode, refused.Output));
            Assert.StartsWith("Other processes take ", refused.Error, StringComparison.Ordinal);
            Assert.EndsWith("with --busy.", refused.Error.TrimEnd(), StringComparison.Ordinal);
            ProgramResult told = Run(crowd);
            Assert.True(told.ExitCode == 0, told.ToString());
        }
        finally
        {
            spinning.Kill();
            spinning.WaitForExit();
        }
    }

    /// <summary>Other tests run beside it.</summary>
    private static ProgramResult Run(params string[] arguments) => RunAsTyped([.. arguments, "--busy"]);

    private static ProgramResult RunAsTyped(params string[] arguments) => Repository.Run(
        Repository.Root, "dotnet", ["exec", typeof(BenchCommand).Assembly.Location, .. arguments]);
}
