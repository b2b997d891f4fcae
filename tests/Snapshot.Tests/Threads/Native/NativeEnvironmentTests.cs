using System.Globalization;
using Snapshot.NativeThreads;
using Xunit;

namespace Snapshot.Tests.Threads.Native;

/// <summary>
/// What an image depends on beside its modules: read here, and refused where it is not there.
/// </summary>
public sealed class NativeEnvironmentTests
{
    private const ulong Avx512 = 0xe7;

    /// <summary>A processor with AVX-512 that puts its parts where those of one maker do.</summary>
    internal static NativeEnvironment Faked => new()
    {
        VectorState = Avx512,
        VectorStateSize = 2432,
        Components = [new(2, 576, 256), new(5, 832, 64), new(6, 896, 512), new(7, 1408, 1024)],
        Features = [1u << 28 | 1u << 12, 1u << 26, 1u << 5 | 1u << 16, 0, 0, 0, 1u << 5],
        SignalStackMin = 3376,
        ErrnoOffset = -120,
        LibcVersion = "2.36",
    };

    [Fact]
    public void What_is_read_here_is_what_the_kernel_tells()
    {
        NativeEnvironment here = NativeEnvironment.Read();
        Assert.Empty(here.Differences(NativeEnvironment.Read()));
        Assert.Equal(3UL, here.VectorState & 3);
        Assert.InRange(here.VectorStateSize, 512u + 64u, 1u << 20);
        Assert.All(here.Components, component =>
        {
            Assert.True((here.VectorState >> component.Index & 1) != 0);
            Assert.InRange(component.Offset + component.Size, 577u, here.VectorStateSize);
        });
        Assert.Equal(
            File.ReadLines("/proc/self/maps").Any(
                line => line.Contains("libc.so.6", StringComparison.Ordinal)),
            decimal.Parse(here.LibcVersion, CultureInfo.InvariantCulture) > 2);
        Assert.NotEqual(0, here.ErrnoOffset);
    }

    [Fact]
    public void The_instructions_are_those_of_proc_cpuinfo()
    {
        string flags =
            File.ReadLines("/proc/cpuinfo").First(line => line.StartsWith("flags", StringComparison.Ordinal));
        string[] told = flags.Split(' ');
        NativeEnvironment here = NativeEnvironment.Read();
        NativeEnvironment nothing = here with { Features = [] };
        string missing = here.Features.Count == 0 ? "" : Assert.Single(here.Differences(nothing));
        Assert.NotEmpty(missing);

        // The kernel shows some under names of its own, hides some, and calls lzcnt by another name.
        string[] known = ["fpu", "cmov", "sse2", "ssse3", "sse4_2", "fma", "avx", "avx2", "bmi2", "avx512f",
            "avx512vl", "vaes"];
        Assert.All(known, name => Assert.Equal(
            told.Contains(name), missing.Split([' ', ',', ';', ':']).Contains(name)));
    }

    [Fact]
    public void Features_have_names_and_places_of_their_own()
    {
        IReadOnlyList<ProcessorFeature> all = ProcessorFeature.All;
        Assert.Equal(all.Count, all.Select(feature => feature.Name).Distinct().Count());
        Assert.Equal(all.Count, all.Select(feature => (feature.Register, feature.Bit)).Distinct().Count());
        Assert.All(all, feature => Assert.InRange(feature.Bit, 0, 31));
    }

    [Fact]
    public void The_same_is_no_difference_and_more_is_none()
    {
        Assert.Empty(Faked.Differences(Faked));
        Assert.Empty(Faked.Differences(Faked with
        {
            VectorState = Avx512 | 1 << 9,
            VectorStateSize = 2696,
            Components = [.. Faked.Components, new(9, 2432, 8)],
            Features = [uint.MaxValue, uint.MaxValue, uint.MaxValue, uint.MaxValue, 0, 0, 1u << 5, 5],
            SignalStackMin = 12_000,
        }));
    }

    [Fact]
    public void Missing_registers_are_told_by_name() => AssertTold(
        Faked with { VectorState = 7, VectorStateSize = 832, Components = [new(2, 576, 256)] },
        "avx512 masks, avx512 upper halves, avx512 upper registers",
        "0x7 here",
        "0xe7 in the image");

    [Fact]
    public void Registers_in_another_place_are_told()
    {
        AssertTold(
            Faked with
            {
                Components = [new(2, 576, 256), new(5, 1088, 64), new(6, 896, 512),
                new(7, 1408, 1024)]
            },
            "avx512 masks",
            "64 bytes at 1088 here",
            "64 bytes at 832 in the image");
        AssertTold(
            Faked with
            {
                Components = [new(2, 576, 128), new(5, 832, 64), new(6, 896, 512),
                new(7, 1408, 1024)]
            },
            "128 bytes at 576 here");
    }

    [Fact]
    public void Less_room_for_registers_is_told() =>
        AssertTold(Faked with { VectorStateSize = 1088 }, "1088 bytes here and 2432 in the image", "cut off");

    [Theory]
    [InlineData(0, 28, "avx")]
    [InlineData(0, 12, "fma")]
    [InlineData(1, 26, "sse2")]
    [InlineData(2, 5, "avx2")]
    [InlineData(2, 16, "avx512f")]
    [InlineData(6, 5, "lzcnt")]
    public void A_missing_instruction_is_told_by_name(int register, int bit, string name)
    {
        uint[] features = [.. Faked.Features];
        features[register] &= ~(1u << bit);
        AssertTold(Faked with { Features = features }, $"lacks what that of the image has: {name};");
    }

    [Fact]
    public void Missing_instructions_are_told_together() =>
        AssertTold(
            Faked with { Features = [1u << 28, 1u << 26, 0, 0, 0, 0, 0] }, "fma, avx2, avx512f, lzcnt;");

    [Fact]
    public void A_kernel_that_needs_more_of_the_signal_stack_is_told() =>
        AssertTold(Faked with { SignalStackMin = 60_000 }, "60000 bytes", "AT_MINSIGSTKSZ");

    [Fact]
    public void Another_C_library_is_told_once() =>
        AssertTold(
            Faked with { LibcVersion = "2.41", ErrnoOffset = -96 }, "glibc 2.41 here and 2.36 in the image");

    [Fact]
    public void Another_place_of_errno_is_told() =>
        AssertTold(Faked with { ErrnoOffset = -96 }, "-96 bytes", "-120", "LD_PRELOAD");

    private static void AssertTold(NativeEnvironment here, params string[] words)
    {
        string difference = Assert.Single(Faked.Differences(here));
        Assert.EndsWith(".", difference, StringComparison.Ordinal);
        Assert.All(words, word => Assert.Contains(word, difference, StringComparison.Ordinal));
    }
}
