using Snapshot.Machines;
using Xunit;

namespace Snapshot.Tests.Machines;

/// <summary>Snapshot's programs on Linux 6.1, booted under emulation.</summary>
public sealed class GuestTests(MachineFixture fixture) : IClassFixture<MachineFixture>
{
    private const int Seed = 1;

    // As root it takes as long again: the long form below has it.
    [GuestTheory]
    [InlineData(false)]
    public async Task The_doctor_tells_what_is_lacking_and_the_heat_diffusion_survives_kills(bool isRoot)
    {
        GuestResult result = await SurvivesAsync(Sample.Heat, kills: 2, GuestJobs.Doctor(isRoot));
        Assert.Contains(result.Lines, line => line.StartsWith("Linux 6.1.", StringComparison.Ordinal)
            && line.EndsWith(isRoot ? ", as root." : ", as user.", StringComparison.Ordinal));
        Assert.Contains(
            result.Lines,
            line => line.Contains("PAGEMAP_SCAN                      no", StringComparison.Ordinal));
        Assert.Contains(
            result.Lines, line => line.StartsWith("Snapshot runs here", StringComparison.Ordinal));
    }

    [LongGuestTheory]
    [InlineData("heat", true)]
    [InlineData("heat", false)]
    [InlineData("nbody", true)]
    [InlineData("nbody", false)]
    [InlineData("native", true)]
    [InlineData("native", false)]
    public Task Killed_twenty_times_each_sample_comes_to_the_same_bits(string sample, bool isRoot) =>
        SurvivesAsync(Sample.All.Single(one => one.Command == sample), kills: 20, new Job("", isRoot));

    [GuestFact]
    public async Task Tests_are_named_at_their_start_and_a_job_that_fails_is_told_with_its_exit_code()
    {
        Job tests = GuestJobs.Tests(["PageBitmapTests"], isRoot: false);
        GuestResult result = await fixture.Machine.RunAsync(tests.Then("exit 7\n"));
        Assert.Equal("the job ended with exit code 7", result.Failure);
        const string Start = "start   Snapshot.Tests.Base.PageBitmapTests.";
        Assert.Contains(result.Lines, line => line.StartsWith(Start, StringComparison.Ordinal));
        Assert.Contains(
            result.Lines, line => line.EndsWith(" passed, 0 failed, 0 skipped", StringComparison.Ordinal));
    }

    private async Task<GuestResult> SurvivesAsync(Sample sample, int kills, Job before)
    {
        Job killed = GuestJobs.Killed(sample, kills, Seed, before.IsRoot);
        GuestResult result = await fixture.Machine.RunAsync(before.Then(killed.Script));
        Assert.True(result.Failure is null, $"{result.Failure}\n{string.Join('\n', result.Lines)}");
        Assert.Contains(
            result.Lines, line => line.Contains($"{kills} of {kills} kills", StringComparison.Ordinal));
        Assert.Contains("The result equals that of the uninterrupted run, bit for bit.", result.Lines);
        return result;
    }
}
