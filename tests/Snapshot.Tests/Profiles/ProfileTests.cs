using System.Runtime.Versioning;
using System.Text.Json;
using Snapshot.Interop;
using Snapshot.Tests.Structure;
using Xunit;

namespace Snapshot.Tests.Profiles;

/// <summary>
/// On every machine that can be imitated: the table says what is missing there, and sessions, checkpoints and
/// restarts work without it.
/// </summary>
[SupportedOSPlatform("linux")]
public sealed class ProfileTests
{
    public static TheoryData<string> Names => [.. Profile.All.Select(profile => profile.Name)];

    [Fact]
    public void Every_lack_of_the_table_is_that_of_one_profile_at_least()
    {
        HashSet<Capability> missing = [.. Profile.All.SelectMany(Lacks), Capability.SmallPages];
        Assert.Equal(Enum.GetValues<Capability>().Order(), missing.Order());
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void The_doctor_says_what_is_missing_and_what_follows(string name)
    {
        Profile profile = Of(name);
        ProgramResult run = profile.Run("Snapshot.Tool", "doctor", "--json");
        Assert.True(run.ExitCode == 0, run.ToString());
        JsonElement report = JsonDocument.Parse(run.Output).RootElement;
        string[] missing = [.. report.GetProperty("findings").EnumerateArray()
            .Where(item => item.GetProperty("capability").ValueKind == JsonValueKind.String)
            .Where(item => !item.GetProperty("available").GetBoolean())
            .Select(item => item.GetProperty("capability").GetString()!)];
        Capability[] expected =
            [.. Lacks(profile).Union(
                Enum.GetValues<Capability>().Where(one => !MachineCapabilities.Current[one]))];
        Assert.Equal(expected.Select(Camel).Order(), missing.Order());
        Assert.True(report.GetProperty("canRun").GetBoolean());
        Assert.Equal(
            expected.Contains(Capability.WriteTracking) ? Without(expected) : "writeProtect",
            report.GetProperty("tracking").GetString());
        Assert.Equal(
            report.GetProperty("tracking").GetString() == "contentHash",
            report.GetProperty("hashMillisecondsPerGiB").ValueKind == JsonValueKind.Number);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_session_lives_through_its_restarts(string name)
    {
        ProgramResult run = Of(name).Run("Snapshot.TestPrograms", "filtered-life", "store", "Eager");
        Assert.True(run.ExitCode == 0, run.ToString());
        Assert.Equal(
            "generation 0, rounds 0, staged 0\ncommitted 1\ncommitted 2\ncommitted 3\n" +
            "generation 3, rounds 2, staged 3\ncommitted 4\n" +
            "generation 4, rounds 2, staged 3\ncommitted 5\n",
            run.Output);
    }

    [Fact]
    public void Pages_of_another_size_are_refused_and_told()
    {
        Profile profile = new("other pages", Capability.SmallPages) { Pretence = "no-small-pages" };
        ProgramResult doctor = profile.Run("Snapshot.Tool", "doctor");
        Assert.Equal(1, doctor.ExitCode);
        Assert.Contains("Snapshot cannot run here", doctor.Output, StringComparison.Ordinal);
        ProgramResult life = profile.Run("Snapshot.TestPrograms", "filtered-life", "store", "Eager");
        Assert.NotEqual(0, life.ExitCode);
        Assert.Contains("Use a kernel with pages of 4 KiB", life.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Native_threads_are_refused_where_they_cannot_be_captured_and_all_else_runs()
    {
        Profile profile =
            new("another processor", Capability.NativeThreads) { Pretence = "no-native-threads" };
        ProgramResult scene = profile.Run("Snapshot.TestPrograms", "native-founding", "store", "no-module");
        Assert.NotEqual(0, scene.ExitCode);
        Assert.Contains(
            "Native threads cannot be captured here. native threads: no, taken away by SNAPSHOT_PRETEND.",
            scene.Error,
            StringComparison.Ordinal);
        ProgramResult sample = profile.Run("NativeSolvers", "run", "--store", "store");
        Assert.Equal(1, sample.ExitCode);
        Assert.Equal(
            "native: This sample needs native threads. native threads: no, taken away by SNAPSHOT_PRETEND.\n",
            sample.Error);
        ProgramResult fibers = profile.Run("Snapshot.TestPrograms", "filtered-life", "store", "Eager");
        Assert.True(fibers.ExitCode == 0, fibers.ToString());
    }

    private static Profile Of(string name) => Profile.All.Single(profile => profile.Name == name);

    /// <summary>What a profile takes away, and what needs that.</summary>
    private static IEnumerable<Capability> Lacks(Profile profile)
    {
        HashSet<Capability> lacks = [.. profile.Missing];
        foreach (CapabilityText text in CapabilityText.All.Where(text => text.Needs.Any(lacks.Contains)))
            lacks.Add(text.Capability);
        return lacks;
    }

    private static string Without(Capability[] missing) =>
        missing.Contains(Capability.SoftDirty) ? "contentHash" : "softDirty";

    private static string Camel(Capability capability) =>
        JsonNamingPolicy.CamelCase.ConvertName($"{capability}");
}
