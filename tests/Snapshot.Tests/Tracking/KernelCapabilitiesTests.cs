using Xunit;
using Xunit.Abstractions;

namespace Snapshot.Tests.Tracking;

public sealed class KernelCapabilitiesTests(ITestOutputHelper output)
{
    [Fact]
    public void Every_finding_has_a_name_and_a_detail_and_every_lack_a_consequence()
    {
        foreach (KernelCapability item in KernelCapabilities.Current.Items)
        {
            output.WriteLine(item.ToString());
            Assert.NotEmpty(item.Name);
            Assert.NotEmpty(item.Detail);
        }

        KernelCapability[] items = [.. KernelCapabilities.Current.Items];
        Assert.Equal(items.Length, items.Select(item => item.Name).Distinct().Count());
        Assert.All(
            items.Where(item => !item.Available && item.Detail != "cannot be read"),
            item => Assert.NotEmpty(item.Consequence));
    }

    [Fact]
    public void The_findings_and_the_properties_agree()
    {
        KernelCapabilities found = KernelCapabilities.Current;
        bool Item(string name) => found.Items.Single(item => item.Name == name).Available;
        Assert.Equal(found.FutexWaitv, Item("futex_waitv"));
        Assert.Equal(found.FixedNoReplace, Item("MAP_FIXED_NOREPLACE"));
        Assert.Equal(found.PagesOnDemand, Item("pages on demand"));
        Assert.Equal(found.PagesOnDemandInSystemCalls, Item("pages on demand in system calls"));
        Assert.Equal(found.PagemapScan, Item("PAGEMAP_SCAN"));
        Assert.Equal(found.WriteProtectTracking, Item("write tracking") && Item("writes by system calls"));
        Assert.Equal(Environment.SystemPageSize, found.PageSize);
    }
}
