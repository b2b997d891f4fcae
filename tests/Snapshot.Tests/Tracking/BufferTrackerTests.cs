using System.Runtime.Versioning;
using Snapshot.Interop;
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
    private static readonly string[] s_neverWatched =
    [
        nameof(ForeignScenarios.FewPages), nameof(ForeignScenarios.SharedMemoryFile),
        nameof(ForeignScenarios.SharedAnonymous), nameof(ForeignScenarios.PrivateFile),
    ];

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
        Assert.Equal(!s_neverWatched.Contains(scenario), anyWatched);

        DirtyTracker Create(MemoryRegion region)
        {
            DirtyTracker tracker = factory.CreateForBuffer(region);
            anyWatched |= tracker.Mechanism == TrackingMechanism.WriteProtect;
            return tracker;
        }
    }

    /// <summary>As memory in huge pages is; whatever its pages are here.</summary>
    [MachineTheory]
    [Needs(Capability.CopyOnWriteOfBuffers)]
    [MemberData(nameof(Scenarios))]
    public void Frozen(string scenario)
    {
        using UserfaultDescriptor userfault = UserfaultDescriptor.Open();
        using PagemapDescriptor pagemap = PagemapDescriptor.Open(canScan: true);
        using ScanCrew crew = new(pagemap);
        using MappingLookup mappings = MappingLookup.TryOpen()!;
        using Freezer freezer = new(bySignals: false);
        BufferTerms terms = new(
            userfault, pagemap, crew, mappings, MayWatch: true, IsInParent: false,
            new FreezingTerms(() => freezer, (_, _) => true));
        bool anyFrozen = false;
        ForeignScenarios.All[scenario](Create);
        Assert.Equal(!s_neverWatched.Contains(scenario), anyFrozen);

        DirtyTracker Create(MemoryRegion region)
        {
            BufferTracker tracker = new(region, terms);
            anyFrozen |= tracker.Frozen is not null;
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
