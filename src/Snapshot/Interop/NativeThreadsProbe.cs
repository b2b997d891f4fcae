using Snapshot.Base;

namespace Snapshot.Interop;

/// <summary>
/// Whether native threads can be captured: their registers and frames are understood on x86-64 alone.
/// </summary>
internal static unsafe class NativeThreadsProbe
{
    internal static Finding Run()
    {
        if (MachineArchitecture.Here != MachineArchitecture.X64)
            return Finding.No($"on x86-64 only, and this process is {MachineArchitecture.Here.Name}");
        EnvironmentAnswer told;
        int errno = Native.sn_environment(&told);
        return errno == 0
            ? new Finding(true, $"x86-64, the kernel saves vector registers 0x{told.VectorState:x}")
            : Finding.No("the processor or the kernel has no xsave", errno);
    }
}
