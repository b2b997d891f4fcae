using System.Runtime.Intrinsics.X86;
using Snapshot.Base;

namespace Snapshot.Interop;

/// <summary>
/// Whether native threads can be captured: their registers and frames are understood on x86-64 alone.
/// </summary>
/// <remarks>
/// All that is known of them here: the table of the machine tells it before anybody has their assembly.
/// </remarks>
internal static class NativeThreadsProbe
{
    private const int FeatureLeaf = 1;

    /// <summary>In ECX of that leaf: the kernel saves the vector registers, too (OSXSAVE).</summary>
    private const int VectorRegistersAreSaved = 1 << 27;

    internal static Finding Run()
    {
        if (MachineArchitecture.Here != MachineArchitecture.X64)
            return Finding.No($"on x86-64 only, and this process is {MachineArchitecture.Here.Name}");
        bool areSaved = (X86Base.CpuId(FeatureLeaf, 0).Ecx & VectorRegistersAreSaved) != 0;
        return areSaved
            ? new Finding(true, "x86-64, and the kernel saves vector registers by xsave")
            : Finding.No("the processor or the kernel has no xsave");
    }
}
