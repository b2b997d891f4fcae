using Snapshot.Base;

namespace Snapshot.Interop;

/// <summary>
/// Finds out what the machine can do; leaves no descriptor, mapping or registration behind.
/// </summary>
internal sealed class CapabilityProbe
{
    // A run of these answers for two lines of the table.
    private readonly Lazy<ProbeFault.Result> _write = new(CopyOnWriteProbe.Run);
    private readonly Lazy<ProbeFault.Result> _demand = new(PagesOnDemandProbe.Run);

    private CapabilityProbe()
    {
    }

    /// <summary>Fills the table.</summary>
    /// <param name="taken">What is not to be used although it may be there.</param>
    internal static MachineCapabilities Run(IReadOnlySet<Capability> taken)
    {
        Native.Require();
        CapabilityProbe probe = new();
        Dictionary<Capability, Finding> found = [];
        foreach (CapabilityText text in CapabilityText.All)
            found.Add(text.Capability, probe.Look(text, taken, found));
        return new MachineCapabilities(
            [
                MachineFacts.Kernel(),
                .. CapabilityText.All.Select(text => Line(text, found[text.Capability])),
                .. MachineFacts.Limits(),
            ],
            HugePageSetting.Read());
    }

    private Finding Look(
        CapabilityText text, IReadOnlySet<Capability> taken, Dictionary<Capability, Finding> found)
    {
        if (taken.Contains(text.Capability)) return new Finding(false, $"taken away by {Pretences.Variable}");
        foreach (Capability need in text.Needs)
        {
            if (!found[need].Works)
                return new Finding(false, $"not tried, without {CapabilityText.Of(need).Name}");
        }

        return Try(text.Capability);
    }

    private Finding Try(Capability capability) => capability switch
    {
        Capability.SmallPages => new Finding(
            Environment.SystemPageSize == Pages.Size, $"{Environment.SystemPageSize} bytes"),
        Capability.HugePages => HugePageSetting.Probe(),
        Capability.FixedNoReplace => MappingProbe.FixedNoReplace(),
        Capability.MappingNames => MappingProbe.Names(),
        Capability.Populate => MappingProbe.Populate(),
        Capability.Collapse => MappingProbe.Collapse(),
        Capability.FutexWaitv => FutexProbe.Run(),
        Capability.Priorities => PriorityProbe.Run(),
        Capability.Pagemap => PagemapProbe.Entries(),
        Capability.PagemapScan => PagemapProbe.Scan(),
        Capability.SoftDirty => SoftDirtyProbe.Run(),
        Capability.Userfault => UserfaultProbe.Run(),
        Capability.WriteTracking => WriteProtectProbe.Run(),
        Capability.CopyOnWrite => _write.Value.Works,
        Capability.CopyOnWriteInSystemCalls => _write.Value.InSystemCalls,
        Capability.CopyOnWriteOfBuffers => BufferProbe.Run(),
        Capability.PagesOnDemand => _demand.Value.Works,
        Capability.PagesOnDemandInSystemCalls => _demand.Value.InSystemCalls,
        Capability.NativeThreads => NativeThreadsProbe.Run(),
        _ => throw new ArgumentOutOfRangeException(nameof(capability), capability, "has no probe"),
    };

    private static MachineCapability Line(CapabilityText text, Finding finding) => new(
        text.Name, finding.Works, finding.Detail, text.Capability, text.Pretence, text.Consequence,
        text.Remedy);
}
