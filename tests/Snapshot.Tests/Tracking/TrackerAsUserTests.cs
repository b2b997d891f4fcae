using System.Runtime.Versioning;
using Snapshot.Tests.Profiles;
using Snapshot.Tests.Session;
using Snapshot.Tracking;
using Xunit;
using Xunit.Abstractions;

namespace Snapshot.Tests.Tracking;

/// <summary>The contract without privilege: the scenarios in a process of an ordinary user.</summary>
[SupportedOSPlatform("linux")]
public sealed class TrackerAsUserTests(ITestOutputHelper output)
{
    [MachineFact]
    [Needs(Capability.Pagemap, Programs = ["cc"])]
    public void Every_promise_holds_for_an_ordinary_user()
    {
        (int exitCode, string text) = OrdinaryUser.Run("tracker-as-user");
        output.WriteLine(text);
        Assert.True(exitCode == 0, text);
        using TrackerFactory here = new(MachineCapabilities.Current, TrackingMechanism.Auto);
        Assert.Contains($"auto {here.Mechanism} ", text, StringComparison.Ordinal);
        foreach (string scenario in TestPrograms.TrackerScenarios.All.Keys)
            Assert.Contains($"ContentHash {scenario}\n", text, StringComparison.Ordinal);

        // Where the sysctl or the device allows it, an ordinary user has the full form.
        if (!here.CanFreeze) return;
        bool waits = text.Contains("read into armed memory: succeeded", StringComparison.Ordinal);
        Assert.True(
            waits || text.Contains("read into armed memory: Bad address", StringComparison.Ordinal),
            "neither: " + text);
        foreach (string scenario in TestPrograms.TrackerScenarios.All.Keys)
        {
            if (waits || !TestPrograms.TrackerScenarios.WithSystemCalls.Contains(scenario))
                Assert.Contains($"ServedWriteProtect {scenario}\n", text, StringComparison.Ordinal);
        }
    }
}
