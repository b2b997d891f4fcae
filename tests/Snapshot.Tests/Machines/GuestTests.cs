using Snapshot.Machines;
using Xunit;

namespace Snapshot.Tests.Machines;

/// <summary>Snapshot's programs on Linux 6.1, booted under emulation.</summary>
public sealed class GuestTests(MachineFixture fixture) : IClassFixture<MachineFixture>
{
    private const int Seed = 1;

    [MachineTheory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_doctor_tells_what_an_older_kernel_lacks_and_that_Snapshot_runs(bool isRoot)
    {
        GuestResult result = await fixture.Machine.RunAsync(GuestJobs.Doctor(isRoot));
        AssertAllRight(result);
        Assert.Contains(result.Lines, line => line.StartsWith("Linux 6.1.", StringComparison.Ordinal)
            && line.EndsWith(isRoot ? ", as root." : ", as user.", StringComparison.Ordinal));
        Assert.Contains(result.Lines, line => line.Contains("PAGEMAP_SCAN                      no", StringComparison.Ordinal));
        Assert.Contains(result.Lines, line => line.StartsWith("Snapshot runs here", StringComparison.Ordinal));
    }

    [MachineTheory]
    [InlineData(true)]
    [InlineData(false)]
    public Task Killed_and_restarted_the_heat_diffusion_comes_to_the_same_bits(bool isRoot) =>
        AssertSurvivesAsync(Sample.Heat, kills: 2, isRoot);

    [LongMachineTheory]
    [InlineData("heat", true)]
    [InlineData("heat", false)]
    [InlineData("nbody", true)]
    [InlineData("nbody", false)]
    [InlineData("kernels", true)]
    [InlineData("kernels", false)]
    public Task Killed_twenty_times_each_sample_comes_to_the_same_bits(string sample, bool isRoot) =>
        AssertSurvivesAsync(Sample.All.Single(one => one.Command == sample), kills: 20, isRoot);

    [MachineFact]
    public async Task A_job_that_fails_is_told_with_its_exit_code()
    {
        GuestResult result = await fixture.Machine.RunAsync(new Job("exit 7\n", IsRoot: false));
        Assert.Equal(7, result.ExitCode);
        Assert.Equal("the job ended with exit code 7", result.Failure);
    }

    [MachineFact]
    public async Task Tests_run_in_a_guest_and_are_named_at_their_start()
    {
        GuestResult result = await fixture.Machine.RunAsync(GuestJobs.Tests(["PageBitmapTests"], isRoot: false));
        AssertAllRight(result);
        Assert.Contains(
            result.Lines, line => line.StartsWith("start   Snapshot.Tests.Base.PageBitmapTests.", StringComparison.Ordinal));
        Assert.Contains(result.Lines, line => line.EndsWith(" passed, 0 failed, 0 skipped", StringComparison.Ordinal));
    }

    private async Task AssertSurvivesAsync(Sample sample, int kills, bool isRoot)
    {
        GuestResult result = await fixture.Machine.RunAsync(GuestJobs.Killed(sample, kills, Seed, isRoot));
        AssertAllRight(result);
        Assert.Contains(result.Lines, line => line.Contains($"{kills} of {kills} kills", StringComparison.Ordinal));
        Assert.Contains("The result equals that of the uninterrupted run, bit for bit.", result.Lines);
    }

    private static void AssertAllRight(GuestResult result) =>
        Assert.True(result.Failure is null, $"{result.Failure}\n{string.Join('\n', result.Lines)}");
}
