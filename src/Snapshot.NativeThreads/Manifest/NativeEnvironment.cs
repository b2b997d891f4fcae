using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using Snapshot.Interop;

namespace Snapshot.NativeThreads;

/// <summary>
/// What captured registers and stacks depend on beside the code: the processor, the kernel and the C library.
/// </summary>
/// <remarks>
/// It must be checked, since the kernel does not: handed vector registers in another layout than its own, it
/// restores the lower halves, zeroes the others, and reports success. Immutable.
/// </remarks>
internal sealed record NativeEnvironment
{
    /// <summary>Of each thread, in an arena; SNT_SIGNAL_STACK_BYTES of the C part.</summary>
    internal const ulong SignalStackSize = 65536;

    /// <summary>
    /// What the handler of the capture signal needs of that beside what the kernel writes there.
    /// </summary>
    internal const ulong SignalStackReserve = 16384;

    private const uint VectorStateLeaf = 0xd;
    private const uint ExtendedLeaf = 0x80000001;

    private static readonly int s_registerCount = Enum.GetValues<ProcessorRegister>().Length;

    /// <summary>XCR0: a bit for each part of the vector state that the kernel saves.</summary>
    internal required ulong VectorState { get; init; }

    /// <summary>Of what the kernel saves of the vector state, in bytes.</summary>
    internal required uint VectorStateSize { get; init; }

    /// <summary>The parts beyond the first two, whose place the processor chooses.</summary>
    internal required IReadOnlyList<VectorComponent> Components { get; init; }

    /// <summary>What CPUID tells of instructions, by <see cref="ProcessorRegister"/>.</summary>
    internal required IReadOnlyList<uint> Features { get; init; }

    /// <summary>What the kernel may need on a signal stack, in bytes; 0 when it does not tell.</summary>
    internal required ulong SignalStackMin { get; init; }

    /// <summary>Of errno from the thread pointer, in bytes.</summary>
    internal required long ErrnoOffset { get; init; }

    /// <summary>Of the C library, for example 2.36.</summary>
    internal required string LibcVersion { get; init; }

    /// <summary>What this process has.</summary>
    /// <exception cref="SnapshotException">
    /// SystemCall: the processor or the kernel saves no vector state; NativeLibrary: the runtime is missing.
    /// </exception>
    internal static unsafe NativeEnvironment Read()
    {
        NativeRuntime.Require();
        EnvironmentAnswer told;
        NativeError.ThrowIfFailed(
            NativeRuntime.snt_environment(&told),
            "xgetbv",
            "Native threads are captured on x86-64 processors with xsave only.");
        return new NativeEnvironment
        {
            VectorState = told.VectorState,
            VectorStateSize = Leaf(VectorStateLeaf, 0).Ebx,
            Components = ReadComponents(told.VectorState),
            Features = ReadFeatures(),
            SignalStackMin = told.SignalStackMin,
            ErrnoOffset = told.ErrnoOffset,
            LibcVersion = Marshal.PtrToStringUTF8((nint)told.LibcVersion) ?? "",
        };
    }

    /// <summary>Why what is in an image cannot go on here, a sentence each; none when it can.</summary>
    /// <param name="here">The environment of this process; this is the one of the image.</param>
    internal IReadOnlyList<string> Differences(NativeEnvironment here) =>
    [
        .. OfVectorState(here), .. OfInstructions(here), .. OfSignalStack(here), .. OfLibrary(here),
    ];

    private IEnumerable<string> OfVectorState(NativeEnvironment here)
    {
        ulong missing = VectorState & ~here.VectorState;
        if (missing != 0)
        {
            IEnumerable<string> names = Enumerable.Range(0, 64)
                .Where(index => (missing >> index & 1) != 0).Select(VectorComponent.NameOf);
            yield return $"Registers of the image are not saved here: {string.Join(", ", names)} (XCR0 is " +
                $"0x{here.VectorState:x} here and 0x{VectorState:x} in the image). Restart on a machine " +
                "whose processor and kernel have them.";
            yield break;
        }

        foreach (VectorComponent component in Components)
        {
            VectorComponent same = here.Components.FirstOrDefault(other => other.Index == component.Index);
            if (same == component) continue;
            yield return $"The processor saves {VectorComponent.NameOf(component.Index)} in another place: " +
                $"{same.Size} bytes at {same.Offset} here, {component.Size} bytes at {component.Offset} in " +
                "the image. Restart on a processor of the same maker and kind.";
        }

        if (VectorStateSize > here.VectorStateSize)
        {
            yield return $"The saved vector registers are {here.VectorStateSize} bytes here and " +
                $"{VectorStateSize} in the image, which the kernel would cut off without an error. Restart " +
                "on a processor of the same kind.";
        }
    }

    private IEnumerable<string> OfInstructions(NativeEnvironment here)
    {
        string[] missing = [.. ProcessorFeature.All
            .Where(feature => Has(feature) && !here.Has(feature)).Select(feature => feature.Name)];
        if (missing.Length == 0) yield break;
        yield return $"The processor lacks what that of the image has: {string.Join(", ", missing)}; code " +
            "of the image may be in the middle of using it. Restart on a processor that has it.";
    }

    private static IEnumerable<string> OfSignalStack(NativeEnvironment here)
    {
        if (here.SignalStackMin <= SignalStackSize - SignalStackReserve) yield break;
        yield return $"The kernel needs {here.SignalStackMin} bytes on a signal stack here " +
            $"(AT_MINSIGSTKSZ), and those in the image have {SignalStackSize}, of which " +
            $"{SignalStackReserve} are needed otherwise. Restart on a processor with fewer registers.";
    }

    private IEnumerable<string> OfLibrary(NativeEnvironment here)
    {
        if (LibcVersion != here.LibcVersion)
        {
            yield return $"The C library is glibc {here.LibcVersion} here and {LibcVersion} in the image: " +
                "thread control blocks differ, and functions may round otherwise. Restart with the same " +
                "version.";
        }
        else if (ErrnoOffset != here.ErrnoOffset)
        {
            yield return $"errno is {here.ErrnoOffset} bytes from the thread pointer here and " +
                $"{ErrnoOffset} in the image. Restart with the same program, and preload no other " +
                "libraries (LD_PRELOAD).";
        }
    }

    private bool Has(ProcessorFeature feature) =>
        (int)feature.Register < Features.Count && (Features[(int)feature.Register] >> feature.Bit & 1) != 0;

    private static VectorComponent[] ReadComponents(ulong vectorState) =>
    [
        .. Enumerable.Range(2, 61).Where(index => (vectorState >> index & 1) != 0).Select(index =>
        {
            (uint size, uint offset, _, _) = Leaf(VectorStateLeaf, (uint)index);
            return new VectorComponent(index, offset, size);
        }),
    ];

    private static uint[] ReadFeatures()
    {
        uint[] features = new uint[s_registerCount];
        uint leaves = Leaf(0, 0).Eax;
        (_, _, features[(int)ProcessorRegister.Leaf1Ecx], features[(int)ProcessorRegister.Leaf1Edx]) =
            Leaf(1, 0);
        if (leaves >= 7)
        {
            (uint parts, uint ebx, uint ecx, uint edx) = Leaf(7, 0);
            features[(int)ProcessorRegister.Leaf7Ebx] = ebx;
            features[(int)ProcessorRegister.Leaf7Ecx] = ecx;
            features[(int)ProcessorRegister.Leaf7Edx] = edx;
            if (parts >= 1) features[(int)ProcessorRegister.Leaf7Part1Eax] = Leaf(7, 1).Eax;
        }

        if (Leaf(0x80000000, 0).Eax >= ExtendedLeaf)
            features[(int)ProcessorRegister.ExtendedLeaf1Ecx] = Leaf(ExtendedLeaf, 0).Ecx;
        return features;
    }

    private static (uint Eax, uint Ebx, uint Ecx, uint Edx) Leaf(uint leaf, uint part)
    {
        (int eax, int ebx, int ecx, int edx) = X86Base.CpuId((int)leaf, (int)part);
        return ((uint)eax, (uint)ebx, (uint)ecx, (uint)edx);
    }
}
