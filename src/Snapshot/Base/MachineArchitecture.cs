using System.Runtime.InteropServices;

namespace Snapshot.Base;

/// <summary>
/// What memory and code depend on of a processor: its number in the headers of ELF files, and the order of
/// bytes.
/// </summary>
/// <remarks>Sessions run on two of them; stores can be read on all.</remarks>
internal readonly record struct MachineArchitecture(ushort Number, bool IsLittleEndian)
{
    internal static readonly MachineArchitecture X64 = new(62, IsLittleEndian: true);
    internal static readonly MachineArchitecture Arm64 = new(183, IsLittleEndian: true);

    /// <summary>That of this process.</summary>
    internal static MachineArchitecture Here { get; } =
        new(NumberOf(RuntimeInformation.ProcessArchitecture), BitConverter.IsLittleEndian);

    internal string Name => Number switch
    {
        62 => "x86-64",
        183 => "arm64",
        _ => $"machine {Number} of ELF",
    };

    public override string ToString() => $"{Name}, {(IsLittleEndian ? "little" : "big")}-endian";

    private static ushort NumberOf(Architecture process) => process switch
    {
        Architecture.X64 => 62, // EM_X86_64
        Architecture.Arm64 => 183, // EM_AARCH64
        Architecture.S390x => 22,
        Architecture.Ppc64le => 21,
        Architecture.LoongArch64 => 258,
        Architecture.RiscV64 => 243,
        _ => 0, // EM_NONE: one of 32 bits
    };
}
