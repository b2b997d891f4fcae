namespace Snapshot.NativeThreads;

/// <summary>An extension of the instruction set, by the name that /proc/cpuinfo gives it.</summary>
/// <param name="Register">Where CPUID tells of it.</param>
/// <param name="Bit">Which bit of that.</param>
/// <param name="Name">Its name.</param>
/// <remarks>
/// Only instructions that code may have chosen to use are here: not what serves the operating system, and not
/// what other processors take for nothing.
/// </remarks>
internal readonly record struct ProcessorFeature(ProcessorRegister Register, int Bit, string Name)
{
    internal static IReadOnlyList<ProcessorFeature> All { get; } =
    [
        .. In(
            ProcessorRegister.Leaf1Ecx,
            "0 sse3 1 pclmulqdq 9 ssse3 12 fma 13 cx16 19 sse4_1 20 sse4_2 22 movbe 23 popcnt 25 aes 28 " +
            "avx 29 f16c 30 rdrand"),
        .. In(
            ProcessorRegister.Leaf1Edx, "0 fpu 4 tsc 8 cx8 15 cmov 19 clflush 23 mmx 24 fxsr 25 sse 26 sse2"),
        .. In(
            ProcessorRegister.Leaf7Ebx,
            "0 fsgsbase 3 bmi1 5 avx2 8 bmi2 11 rtm 16 avx512f 17 avx512dq 18 rdseed 19 adx 21 avx512ifma " +
            "23 clflushopt 24 clwb 26 avx512pf 27 avx512er 28 avx512cd 29 sha_ni 30 avx512bw 31 avx512vl"),
        .. In(
            ProcessorRegister.Leaf7Ecx,
            "1 avx512vbmi 5 waitpkg 6 avx512_vbmi2 8 gfni 9 vaes 10 vpclmulqdq 11 avx512_vnni 12 " +
            "avx512_bitalg 14 avx512_vpopcntdq 22 rdpid 27 movdiri 28 movdir64b 29 enqcmd"),
        .. In(
            ProcessorRegister.Leaf7Edx,
            "2 avx512_4vnniw 3 avx512_4fmaps 8 avx512_vp2intersect 14 serialize 22 amx_bf16 23 avx512_fp16 " +
            "24 amx_tile 25 amx_int8"),
        .. In(
            ProcessorRegister.Leaf7Part1Eax,
            "0 sha512 1 sm3 2 sm4 4 avx_vnni 5 avx512_bf16 7 cmpccxadd 21 amx_fp16 23 avx_ifma"),

        // Processors without lzcnt take it for bsr, which counts from the other end and says nothing.
        .. In(ProcessorRegister.ExtendedLeaf1Ecx, "5 lzcnt 6 sse4a 11 xop 16 fma4 21 tbm"),
    ];

    private static IEnumerable<ProcessorFeature> In(ProcessorRegister register, string bitsAndNames) =>
        bitsAndNames
            .Split(' ').Chunk(2)
            .Select(pair => new ProcessorFeature(
                register, int.Parse(pair[0], System.Globalization.CultureInfo.InvariantCulture), pair[1]));
}

/// <summary>The registers in which CPUID tells of instructions; part of images, do not renumber.</summary>
internal enum ProcessorRegister
{
    Leaf1Ecx = 0,
    Leaf1Edx = 1,
    Leaf7Ebx = 2,
    Leaf7Ecx = 3,
    Leaf7Edx = 4,
    Leaf7Part1Eax = 5,
    ExtendedLeaf1Ecx = 6,
}
