using System.Buffers.Binary;
using System.Diagnostics;
using System.Text.Json;
using HeatDiffusion;
using KillDemo;
using Snapshot.Base;
using Snapshot.Tests.HeatDiffusion;
using Snapshot.Tests.Structure;
using Xunit;

namespace Snapshot.Tests.Arm64;

/// <summary>
/// Snapshot's programs on linux-arm64, emulated, and stores that go from one architecture to the other.
/// </summary>
public sealed class Arm64Tests(Arm64Programs arm64) : IClassFixture<Arm64Programs>, IDisposable
{
    private const string Heat = "samples/HeatDiffusion";
    private const string NBody = "samples/NBody";
    private const string Tool = "src/Snapshot.Tool";

    private const int Size = 64;
    private const int Steps = 12_000;

    private static readonly string[] s_heat =
        ["--size", $"{Size}", "--steps", $"{Steps}", "--threads", "2", "--every-steps", "200", "--json"];

    private static readonly string[] s_nbody =
        ["--bodies", "128", "--fibers", "32", "--threads", "2", "--every-steps", "8", "--json"];

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("snapshot-arm64-store-");
    private readonly Random _random = new(1);

    private string Store => Path.Combine(_directory.FullName, "run");

    public void Dispose() => _directory.Delete(recursive: true);

    [Arm64Fact]
    public void A_published_program_has_the_library_of_its_architecture_and_none_of_native_threads()
    {
        byte[] library = File.ReadAllBytes(Path.Combine(arm64.FolderOf(Heat), "libsnapshot_native.so"));
        Assert.Equal(
            MachineArchitecture.Arm64.Number, BinaryPrimitives.ReadUInt16LittleEndian(library.AsSpan(18)));
        Assert.False(File.Exists(Path.Combine(arm64.FolderOf(Heat), "libsnapshot_threads.so")));
    }

    [Arm64Fact]
    public void Killed_again_and_again_the_heat_diffusion_ends_with_the_bits_of_this_machine()
    {
        for (int kills = Soak.IsLong ? 10 : 3; kills > 0; kills--)
            KillAfterCommit(arm64.Start(Heat, RunHeat));
        Assert.Equal(ExpectedHeat, Finish(arm64.Start(Heat, RunHeat)));
    }

    [Arm64Fact]
    public void Each_architecture_goes_on_with_the_store_of_the_other()
    {
        KillAfterCommit(arm64.Start(Heat, RunHeat));
        AssertSame(["list", StoreOf(Store), "--json"]);
        AssertSame(["verify", StoreOf(Store), "--json"]);
        Assert.Equal(ExpectedHeat, Finish(Here(Heat, RunHeat)));

        Directory.Delete(Store, recursive: true);
        KillAfterCommit(Here(Heat, RunHeat));
        Assert.Equal(ExpectedHeat, Finish(arm64.Start(Heat, RunHeat)));
    }

    [LongArm64Fact]
    public void Fibers_go_on_where_they_were_captured_and_are_refused_elsewhere()
    {
        string[] run = ["run", .. s_nbody, "--steps", "120", "--store"];
        string whole = Finish(arm64.Start(NBody, [.. run, Path.Combine(_directory.FullName, "whole")]));
        for (int kills = 0; kills < 2; kills++) KillAfterCommit(arm64.Start(NBody, [.. run, Store]));
        AssertRefused(Here(NBody, [.. run, Store]), "has fibers that have not ended", "captured on arm64");
        Assert.Equal(whole, Finish(arm64.Start(NBody, [.. run, Store])));

        run = ["run", .. s_nbody, "--steps", "100000", "--store", Path.Combine(_directory.FullName, "other")];
        KillAfterCommit(Here(NBody, run));
        AssertRefused(
            arm64.Start(NBody, run), "has fibers that have not ended", "captured on x86-64",
            "this process is arm64");
    }

    [Arm64Fact("g++", "gfortran")]
    public void An_image_with_native_threads_is_refused_by_name()
    {
        KillAfterCommit(Here(
            "samples/NativeSolvers", "run", "--threads", "2", "--size", "64", "--steps", "100000",
            "--every-steps", "40",
            "--json", "--store", Store));
        AssertRefused(
            arm64.Start(Heat, RunHeat), "has native threads that have not ended", "captured on x86-64");
    }

    [LongArm64Fact]
    public void The_doctor_tells_what_there_is_and_a_symbolic_link_is_not_followed()
    {
        ProgramResult doctor = arm64.Run(Tool, "doctor", "--json");
        Assert.True(doctor.ExitCode == 0, doctor.ToString());
        JsonElement report = JsonDocument.Parse(doctor.Output).RootElement;
        Assert.True(report.GetProperty("canRun").GetBoolean());
        Assert.Contains(
            report.GetProperty("findings").EnumerateArray(),
            finding => finding.GetProperty("name").GetString() == "native threads"
                && finding.GetProperty("detail").GetString() == "on x86-64 only, and this process is arm64");

        KillAfterCommit(Here(Heat, RunHeat));
        string manifest = Directory.GetFiles(StoreOf(Store), "*manifest*").Single();
        File.Move(manifest, manifest + ".moved");
        File.CreateSymbolicLink(manifest, manifest + ".moved");
        ProgramResult list = arm64.Run(Tool, "list", StoreOf(Store));
        Assert.NotEqual(0, list.ExitCode);
        Assert.Contains("symbolic link", list.Error, StringComparison.Ordinal);
    }

    private string[] RunHeat => ["run", .. s_heat, "--store", Store];

    private static string ExpectedHeat { get; } = PlainHeat.ChecksumOf(HeatOptions.ShippedInput, Size, Steps);

    private static string StoreOf(string directory) => Path.Combine(directory, "store");

    /// <summary>The same program, as these tests were built.</summary>
    private static ProcessStartInfo Here(string project, params IEnumerable<string> arguments) =>
        new(Path.Combine(AppContext.BaseDirectory, Path.GetFileName(project)), arguments);

    /// <summary>At once where this machine itself computes, which is soon done.</summary>
    private void KillAfterCommit(ProcessStartInfo start)
    {
        bool isHere = start.FileName.StartsWith(AppContext.BaseDirectory, StringComparison.Ordinal);
        int later = isHere ? 0 : _random.Next(100);
        Assert.True(
            SampleLife.IsKilledAfterCommit(start, TimeSpan.FromMilliseconds(later)),
            "it ended before it could be killed: give it more steps");
    }

    /// <summary>Runs to the end; the checksum of what came out.</summary>
    private static string Finish(ProcessStartInfo start)
    {
        ProgramResult run = Repository.Run(start);
        Assert.True(run.ExitCode == 0, run.ToString());
        return Assert.IsType<RunEvent.Finished>(
            RunEvent.FromLine(run.Output.TrimEnd().Split('\n')[^1])).Checksum;
    }

    private static void AssertRefused(ProcessStartInfo start, params string[] words)
    {
        ProgramResult run = Repository.Run(start);
        Assert.Equal(1, run.ExitCode);
        Assert.All(words, word => Assert.Contains(word, run.Error, StringComparison.Ordinal));
    }

    /// <summary>The tool says the same of a store on both.</summary>
    private void AssertSame(string[] arguments)
    {
        ProgramResult there = arm64.Run(Tool, arguments), here = Repository.Run(Here(Tool, arguments));
        Assert.True(there.ExitCode == 0 && here.ExitCode == 0, $"{there}\n{here}");
        Assert.Equal(here.Output, there.Output);
    }
}
