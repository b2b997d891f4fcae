using System.Runtime.Versioning;
using Snapshot.Memory;
using Snapshot.TestPrograms;
using Snapshot.Tests.Profiles;
using Snapshot.Tests.Session;
using Snapshot.Tracking;
using Xunit;

namespace Snapshot.Tests.Tracking;

/// <summary>Memory of programs, of each kind that there is: watched, hashed, and without privilege.</summary>
public sealed class BufferTrackerTests
{
    public static TheoryData<string> Scenarios => [.. ForeignScenarios.All.Keys];

    [MachineTheory]
    [Needs(Capability.WriteTracking)]
    [MemberData(nameof(Scenarios))]
    public void Watched(string scenario)
    {
        using TrackerFactory factory = new(MachineCapabilities.Current, TrackingMechanism.Auto);
        Assert.Equal(TrackingMechanism.WriteProtect, factory.Mechanism);
        bool anyWatched = false;
        ForeignScenarios.All[scenario](Create);
        string[] neverWatched =
        [
            nameof(ForeignScenarios.FewPages), nameof(ForeignScenarios.SharedMemoryFile),
            nameof(ForeignScenarios.SharedAnonymous), nameof(ForeignScenarios.PrivateFile),
        ];
        Assert.Equal(!neverWatched.Contains(scenario), anyWatched);

        DirtyTracker Create(MemoryRegion region)
        {
            DirtyTracker tracker = factory.CreateForBuffer(region);
            anyWatched |= tracker.Mechanism == TrackingMechanism.WriteProtect;
            return tracker;
        }
    }

    /// <summary>As on a kernel that does not watch, and where the program says so.</summary>
    [MachineTheory]
    [MemberData(nameof(Scenarios))]
    public void Hashed(string scenario)
    {
        MachineCapabilities without = MachineCapabilities.Without(Capability.WriteTracking);
        using TrackerFactory factory = new(without, TrackingMechanism.ContentHash);
        ForeignScenarios.All[scenario](region => factory.CreateForBuffer(region));
        using TrackerFactory able = new(MachineCapabilities.Current, TrackingMechanism.Auto);
        ForeignScenarios.All[scenario](region => able.CreateForBuffer(region, mayWatch: false));
    }

    [MachineTheory]
    [MemberData(nameof(Scenarios))]
    public void Hashed_without_a_scan(string scenario)
    {
        MachineCapabilities without = MachineCapabilities.Without(Capability.PagemapScan);
        using TrackerFactory factory = new(without, TrackingMechanism.ContentHash);
        ForeignScenarios.All[scenario](region => factory.CreateForBuffer(region));
    }

    [SupportedOSPlatform("linux")]
    [MachineFact]
    [Needs(Capability.Pagemap, Programs = ["cc"])]
    public void Every_promise_holds_for_an_ordinary_user()
    {
        (int exitCode, string text) = OrdinaryUser.Run("foreign-as-user");
        Assert.True(exitCode == 0, text);
        using TrackerFactory here = new(MachineCapabilities.Current, TrackingMechanism.Auto);
        foreach (string scenario in ForeignScenarios.All.Keys)
        {
            Assert.Contains($"ContentHash {scenario}\n", text, StringComparison.Ordinal);
            Assert.Contains($"{here.Mechanism} {scenario}\n", text, StringComparison.Ordinal);
        }
    }
}
