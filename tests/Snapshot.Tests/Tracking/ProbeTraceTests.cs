using Xunit;

namespace Snapshot.Tests.Tracking;

/// <summary>Counts what the whole process has open, so nothing else may run meanwhile.</summary>
[CollectionDefinition(nameof(ProbeTraceTests), DisableParallelization = true)]
[Collection(nameof(ProbeTraceTests))]
public sealed class ProbeTraceTests
{
    [Fact]
    public void Probing_leaves_no_descriptor_and_no_mapping_behind()
    {
        const int probes = 64;
        _ = MachineCapabilities.Probe(); // whatever the runtime opens once is open now
        (int descriptors, int mappings) = Open();
        for (int probe = 0; probe < probes; probe++) _ = MachineCapabilities.Probe();
        (int descriptorsAfter, int mappingsAfter) = Open();

        // The runtime may open and map things of its own; one leak a probe would show as twice this much.
        Assert.InRange(descriptorsAfter - descriptors, int.MinValue, probes / 2);
        Assert.InRange(mappingsAfter - mappings, int.MinValue, probes / 2);
        Assert.DoesNotContain(
            "snapshot-probe", File.ReadAllText("/proc/self/maps"), StringComparison.Ordinal);
    }

    private static (int Descriptors, int Mappings) Open() =>
        (Directory.GetFiles("/proc/self/fd").Length, File.ReadLines("/proc/self/maps").Count());
}
