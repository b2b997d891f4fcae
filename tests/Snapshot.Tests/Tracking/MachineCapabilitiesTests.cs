using Snapshot.Interop;
using Snapshot.Tests.Structure;
using Xunit;
using Xunit.Abstractions;

namespace Snapshot.Tests.Tracking;

public sealed class MachineCapabilitiesTests(ITestOutputHelper output)
{
    [Fact]
    public void Every_finding_has_a_name_and_a_detail_and_every_lack_a_consequence()
    {
        foreach (MachineCapability item in MachineCapabilities.Current.Items)
        {
            output.WriteLine(item.ToString());
            Assert.NotEmpty(item.Name);
            Assert.NotEmpty(item.Detail);
        }

        MachineCapability[] items = [.. MachineCapabilities.Current.Items];
        Assert.Equal(items.Length, items.Select(item => item.Name).Distinct().Count());
        Assert.All(
            items.Where(item => !item.Available && item.Detail != "cannot be read"),
            item => Assert.NotEmpty(item.Consequence));
    }

    [Fact]
    public void The_findings_and_the_properties_agree()
    {
        MachineCapabilities found = MachineCapabilities.Current;
        foreach (Capability capability in Enum.GetValues<Capability>())
        {
            MachineCapability item = found.Of(capability);
            Assert.Equal(capability, item.Capability);
            Assert.Equal(item.Available, found[capability]);
            Assert.Contains(item, found.Items);
        }

        Assert.Throws<ArgumentOutOfRangeException>(() => found[(Capability)99]);
    }

    [Fact]
    public void What_is_taken_away_is_not_there_and_neither_is_what_needs_it()
    {
        foreach (Capability taken in Enum.GetValues<Capability>())
        {
            MachineCapabilities left = MachineCapabilities.Without(taken);
            Assert.False(left[taken]);
            Assert.Contains("SNAPSHOT_PRETEND", left.Of(taken).Detail, StringComparison.Ordinal);
            foreach (CapabilityText text in CapabilityText.All.Where(text => text.Needs.Contains(taken)))
            {
                Assert.False(left[text.Capability]);
                Assert.NotEmpty(left.Of(text.Capability).Consequence);
            }
        }
    }

    [Fact]
    public void Whatever_is_needed_is_probed_before_and_every_capability_has_one_line_and_one_word()
    {
        IReadOnlyList<CapabilityText> all = CapabilityText.All;
        Assert.Equal(Enum.GetValues<Capability>().Order(), all.Select(text => text.Capability).Order());
        Assert.Equal(all.Count, all.Select(text => text.Pretence).Distinct().Count());
        for (int i = 0; i < all.Count; i++)
            Assert.All(all[i].Needs, need => Assert.Contains(all.Take(i), text => text.Capability == need));
    }

    [SourcesFact]
    public void The_documentation_has_every_word()
    {
        string text = File.ReadAllText(Path.Combine(Repository.Root, "docs", "MACHINES.md"));
        foreach (CapabilityText line in CapabilityText.All)
            Assert.Contains($"| `{line.Pretence}` | ", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Words_that_take_something_away_are_known_and_others_are_told()
    {
        Assert.Equal(
            [Capability.Userfault, Capability.PagemapScan],
            Pretences.Parse("no-scan, NO-userfaultfd").Order().Reverse());
        Assert.Empty(Pretences.Parse(""));
        SnapshotException error =
            Assert.Throws<SnapshotException>(() => Pretences.Parse("no-scan,no-such-thing"));
        Assert.Equal(SnapshotErrorCode.InvalidSetting, error.Code);
        Assert.Contains("'no-such-thing'", error.Message, StringComparison.Ordinal);
        Assert.Contains("no-userfaultfd", error.Message, StringComparison.Ordinal);
    }
}
