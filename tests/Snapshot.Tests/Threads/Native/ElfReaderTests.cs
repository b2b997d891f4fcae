using Snapshot.NativeThreads;
using Xunit;

namespace Snapshot.Tests.Threads.Native;

/// <summary>Whatever a file holds: it is read, or refused with a sentence.</summary>
public sealed class ElfReaderTests : IDisposable
{
    private const int Seed = 20261125;
    private const int Damages = 6000;

    private readonly ModuleWorkshop _workshop = new();

    public void Dispose() => _workshop.Dispose();

    [Fact]
    public void Every_truncation_is_read_or_refused()
    {
        byte[] file = File.ReadAllBytes(_workshop.Good().Path);
        for (int length = 0; length < file.Length; length++)
            Check(file.AsMemory(0, length), $"length {length}");
    }

    [Fact]
    public void Every_damage_is_read_or_refused()
    {
        byte[] file =
            File.ReadAllBytes(_workshop.Good(more: "-Wl,-z,pack-relative-relocs,--hash-style=both").Path);
        Random random = new(Seed);
        int refused = 0;
        for (int round = 0; round < Damages; round++)
        {
            byte[] damaged = [.. file];
            int count = 1 + random.Next(4);
            for (int flip = 0; flip < count; flip++)
            {
                // Most of what is read is near the beginning and, of sections, at the end.
                int at = random.Next(3) switch
                {
                    0 => random.Next(64 + 12 * (int)ElfSegment.HeaderSize),
                    1 => file.Length - 1 - random.Next(2400),
                    _ => random.Next(file.Length),
                };
                damaged[at] = random.Next(4) == 0 ? (byte)0xff : (byte)random.Next(256);
            }

            if (!Check(damaged, $"seed {Seed}, round {round}")) refused++;
        }

        Assert.InRange(refused, Damages / 20, Damages);
    }

    [Theory]
    [InlineData("", "is not an ELF file")]
    [InlineData("#!/bin/sh\n", "is not an ELF file")]
    public void What_is_no_library_is_refused(string text, string reason)
    {
        SnapshotException error =
            Assert.Throws<SnapshotException>(() => ElfImage.Open(_workshop.Write(text, ".so")));
        Assert.Equal(SnapshotErrorCode.NativeModule, error.Code);
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(16, 1, "an object file")]
    [InlineData(16, 2, "a program")]
    [InlineData(18, 183, "machine 183")]
    [InlineData(4, 1, "64-bit")]
    [InlineData(5, 2, "little-endian")]
    [InlineData(54, 32, "program headers of 32 bytes")]
    public void Foreign_headers_are_refused(int offset, byte value, string reason)
    {
        byte[] file = File.ReadAllBytes(_workshop.Good("int work(int x) { return x; }").Path);
        file[offset] = value;
        SnapshotException error = Assert.Throws<SnapshotException>(() => new ElfImage("libforeign.so", file));
        Assert.Contains("libforeign.so", error.Message, StringComparison.Ordinal);
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_file_is_told()
    {
        SnapshotException error =
            Assert.Throws<SnapshotException>(() => ElfImage.Open("/nowhere/libnone.so"));
        Assert.Equal(SnapshotErrorCode.NativeModule, error.Code);
        Assert.Contains("/nowhere/libnone.so", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Packed_relocations_are_the_same_words_as_plain_ones()
    {
        const string Source =
            "static int x[200]; int *table[] = { x, x + 1, x + 3, x + 9 }; int *last = x + 150;";
        ulong[] plain = Relative(_workshop.Good(Source));
        ulong[] packed = Relative(_workshop.Good(Source, "-Wl,-z,pack-relative-relocs"));
        Assert.InRange(plain.Length, 5, 50);
        Assert.Equal(plain.Length, packed.Length);
        Assert.Equal(Distances(plain), Distances(packed));
    }

    /// <summary>Whether a file is read as a whole; if not, its error is the reader's.</summary>
    private static bool Check(ReadOnlyMemory<byte> file, string what)
    {
        try
        {
            ElfImage image = new("libdamaged.so", file);
            _ = NativeModuleContract.ViolationsOf(image, [image]).Select(violation => violation.ToString())
                .ToArray();
            _ = UnwindRules.UnwinderOf(image);
            _ = NativeModuleManifest.Of(image).Differences(NativeModuleManifest.Of(image));
            return true;
        }
        catch (SnapshotException error) when (error.Code == SnapshotErrorCode.NativeModule)
        {
            Assert.Contains("libdamaged.so", error.Message, StringComparison.Ordinal);
            return false;
        }
        catch (Exception error)
        {
            throw new InvalidOperationException($"{what}: {error.GetType().Name}", error);
        }
    }

    /// <summary>
    /// The words of the two tables, which lie at the end of .data, behind parts of another length.
    /// </summary>
    private static ulong[] Relative(ElfImage image) =>
        [.. image.Relocations.Where(r => r.Kind == ElfRelocationKind.Relative).Select(r => r.Address)
            .Order()];

    private static IEnumerable<ulong> Distances(ulong[] addresses) =>
        addresses.TakeLast(6).Zip(addresses.TakeLast(5), (first, second) => second - first);
}
