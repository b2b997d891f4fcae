using Snapshot.Machines;
using Snapshot.Machines.PowerCut;
using Xunit;

namespace Snapshot.Tests.Machines;

/// <summary>The power goes while a guest commits generations; a real file system recovers.</summary>
public sealed class PowerCutTests(MachineFixture fixture) : IClassFixture<MachineFixture>
{
    private const int Seed = 1;

    [GuestFact]
    public async Task What_was_acknowledged_is_whole_after_a_power_cut_below_ext4()
    {
        PowerCutReport report = await CutAsync(new Ext4(), cuts: 20, withoutSync: null);
        Assert.True(report.Acknowledged > 1, report.ToString());
        Assert.True(report.Findings.Count == 0, string.Join('\n', report.Findings));
    }

    [GuestFact]
    public async Task A_manifest_that_is_not_synced_is_found()
    {
        PowerCutReport report = await CutAsync(new Ext4(), cuts: 20, withoutSync: "manifest");
        Assert.Contains(
            report.Findings, finding => finding.Contains("was acknowledged", StringComparison.Ordinal));
    }

    [LongGuestTheory]
    [InlineData("ext4", 300)]
    [InlineData("xfs", 100)]
    public async Task Hundreds_of_power_cuts_lose_nothing_that_was_acknowledged(string name, int cuts)
    {
        IFileSystem fileSystem = name == "xfs" ? new Xfs(fixture.Machine) : new Ext4();
        PowerCutReport report = await CutAsync(fileSystem, cuts, withoutSync: null);
        Assert.True(report.Findings.Count == 0, string.Join('\n', report.Findings));
    }

    private Task<PowerCutReport> CutAsync(IFileSystem fileSystem, int cuts, string? withoutSync) =>
        new PowerCuts(fixture.Machine, fileSystem).RunAsync(cuts, Seed, withoutSync);
}
