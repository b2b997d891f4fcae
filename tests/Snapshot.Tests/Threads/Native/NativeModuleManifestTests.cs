using Snapshot.NativeThreads;
using Xunit;

namespace Snapshot.Tests.Threads.Native;

/// <summary>What an image records of a module, and how another one is told from it.</summary>
public sealed class NativeModuleManifestTests : IDisposable
{
    private readonly ModuleWorkshop _workshop = new();

    public void Dispose() => _workshop.Dispose();

    [Fact]
    public void The_manifest_says_what_is_captured()
    {
        ElfImage module = _workshop.Good(more: "-Wl,-z,max-page-size=4096");
        NativeModuleManifest manifest = NativeModuleManifest.Of(module);
        Assert.Equal(40, manifest.BuildId.Length);
        Assert.NotNull(NativeModuleBase.At(manifest.Base));
        Assert.Equal((4UL, 4UL), (manifest.ThreadLocalSize, manifest.ThreadLocalAlignment));
        Assert.Null(manifest.ThreadLocalOffset);
        Assert.Equal(["libm.so.6", "libc.so.6"], manifest.Needed);

        AddressRange data = Assert.Single(manifest.Writable);
        Assert.Equal((0UL, 0UL), (data.Start % AddressRange.PageSize, data.Length % AddressRange.PageSize));
        ElfSymbol[] symbols = [.. ElfSymbol.ReadStatic(module, ElfSection.ReadAll(module))];
        Assert.All(
            (string[])["counter", "zero", "place"],
            name => Assert.True(data.Contains(symbols.Single(symbol => symbol.Name == name).Address), name));
        ElfSegment written = module.Find(ElfSegmentType.ReadOnlyAfterRelocation)!.Value;
        Assert.Equal(written.Memory.End, data.Start);
    }

    [Fact]
    public void The_same_module_has_no_differences_wherever_it_lies()
    {
        NativeModuleManifest manifest = NativeModuleManifest.Of(_workshop.Good());
        Assert.Empty(
            manifest.Differences(manifest with { Path = "/elsewhere/libmoved.so", ThreadLocalOffset = 64 }));
    }

    [Fact]
    public void A_rebuilt_module_is_told()
    {
        string path = _workshop.NextModule();
        NativeModuleManifest Build(string source)
        {
            ModuleWorkshop.AssertDone(
                _workshop.Run("--no-runtime", "cc", _workshop.Write(source), "-o", path));
            return NativeModuleManifest.Of(ElfImage.Open(path));
        }

        NativeModuleManifest then = Build("int x[5000]; int work(void) { return x[1]; }");
        NativeModuleManifest now = Build("int x[9000]; int work(void) { return x[2]; }");
        string difference = Assert.Single(then.Differences(now));
        Assert.StartsWith($"{path} was rebuilt since the checkpoint: ", difference, StringComparison.Ordinal);
        Assert.Contains(now.BuildId, difference, StringComparison.Ordinal);
        Assert.Contains(then.BuildId, difference, StringComparison.Ordinal);
    }

    [Fact]
    public void Each_difference_is_a_sentence()
    {
        NativeModuleManifest then =
            NativeModuleManifest.Of(_workshop.Good()) with { ThreadLocalOffset = 944 };
        void AssertTold(NativeModuleManifest now, params string[] words)
        {
            string difference = Assert.Single(then.Differences(now));
            Assert.StartsWith(then.Path, difference, StringComparison.Ordinal);
            Assert.EndsWith(".", difference, StringComparison.Ordinal);
            Assert.All(words, word => Assert.Contains(word, difference, StringComparison.Ordinal));
        }

        AssertTold(then with { Base = 0x1804_0000_0000 }, "0x180400000000", $"0x{then.Base:x}", "base");
        AssertTold(then with { ThreadLocalSize = 12 }, "12 bytes", "thread-local");
        AssertTold(then with { ThreadLocalAlignment = 32 }, "aligned to 32");
        AssertTold(then with { ThreadLocalOffset = 976 }, "976 bytes", "944", "LD_PRELOAD");
        AssertTold(then with { Size = 5 }, "5 bytes long");
        AssertTold(then with { Writable = [] }, "data");
        AssertTold(then with { Needed = ["libodd.so"] }, "libodd.so", "libm.so.6");
    }

    [Fact]
    public void A_module_that_was_loaded_elsewhere_is_told()
    {
        NativeModuleManifest manifest = NativeModuleManifest.Of(_workshop.Good());
        Assert.Null(manifest.FaultOfPlace(manifest.Base));
        Assert.Contains("0x7f0000001000", manifest.FaultOfPlace(0x7f00_0000_1000), StringComparison.Ordinal);
    }

    [Fact]
    public void Two_modules_in_one_slot_are_refused_by_name()
    {
        NativeModuleManifest first = NativeModuleManifest.Of(_workshop.Good());
        NativeModuleManifest second = first with { Path = "libsecond.so" };
        NativeModuleManifest.RequireApart([first, second with { Base = first.Base + NativeModuleBase.Size }]);
        SnapshotException error =
            Assert.Throws<SnapshotException>(() => NativeModuleManifest.RequireApart([first, second]));
        Assert.Equal(SnapshotErrorCode.NativeModule, error.Code);
        Assert.StartsWith($"{first.Path} and libsecond.so", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_read_only_after_relocation_is_cut_out_where_it_lies()
    {
        AddressRange all = new(0x1000, 0x9000);
        Assert.Equal(
            [new(0x1000, 0x1000), new(0x4000, 0x6000)], all.Without(new AddressRange(0x2000, 0x2000)));
        Assert.Equal([new(0x3000, 0x7000)], all.Without(new AddressRange(0x1000, 0x2000)));
        Assert.Equal([all], all.Without(default));
        Assert.Equal([all], all.Without(new AddressRange(0x20000, 0x1000)));
        Assert.Empty(all.Without(all));
    }
}
