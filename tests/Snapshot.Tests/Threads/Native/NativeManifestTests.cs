using System.Buffers.Binary;
using System.IO.Hashing;
using Snapshot.NativeThreads;
using Xunit;

namespace Snapshot.Tests.Threads.Native;

/// <summary>
/// Manifests as bytes: what is written is read, and what is damaged is refused with a sentence.
/// </summary>
public sealed class NativeManifestTests
{
    private const int Seed = 20261125;

    private static readonly NativeModuleManifest s_first = new()
    {
        Path = "/modules/libfirst.so",
        BuildId = "00aa11bb",
        Base = 0x1800_0000_0000,
        Size = 0x9000,
        ThreadLocalSize = 24,
        ThreadLocalAlignment = 16,
        ThreadLocalOffset = 944,
        Writable = [new(0x1800_0000_3000, 0x1000), new(0x1800_0000_6000, 0x3000)],
        Needed = ["libsnapshot_threads.so", "libc.so.6"],
    };

    private static readonly NativeModuleManifest s_second = s_first with
    {
        Path = "/modules/lib zweites µ.so",
        ThreadLocalSize = 0,
        ThreadLocalAlignment = 1,
        ThreadLocalOffset = null,
        Writable = [],
        Needed = [],
    };

    private static byte[] Bytes => NativeManifest.ToBytes(NativeEnvironmentTests.Faked, [s_first, s_second]);

    [Fact]
    public void What_is_written_is_read()
    {
        NativeManifest manifest = NativeManifest.FromBytes(Bytes);
        Assert.Equal(2, manifest.Modules.Count);
        AssertSame(s_first, manifest.Modules[0]);
        AssertSame(s_second, manifest.Modules[1]);
        Assert.Empty(manifest.Environment.Differences(NativeEnvironmentTests.Faked));
        Assert.Empty(NativeEnvironmentTests.Faked.Differences(manifest.Environment));
        Assert.Equal(Bytes, NativeManifest.ToBytes(manifest.Environment, manifest.Modules));

        NativeEnvironment here = NativeEnvironment.Read();
        byte[] bytes = NativeManifest.ToBytes(here, []);
        Assert.Equal(bytes, NativeManifest.ToBytes(NativeManifest.FromBytes(bytes).Environment, []));
    }

    [Fact]
    public void Memory_behind_the_manifest_is_not_looked_at() =>
        Assert.Equal(2, NativeManifest.FromBytes([.. Bytes, 1, 2, 3]).Modules.Count);

    [Fact]
    public void The_form_is_fixed()
    {
        byte[] bytes = Bytes;
        Assert.Equal("SNKM"u8, bytes.AsSpan(0, 4));
        Assert.Equal(1u, BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(4)));
        Assert.Equal(bytes.Length, BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(8)));
        Assert.Equal(
            0xe7UL, BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(NativeManifest.HeaderSize)));
    }

    [Fact]
    public void Every_truncation_is_refused()
    {
        byte[] bytes = Bytes;
        for (int length = 0; length < bytes.Length; length++)
            AssertRefused(bytes[..length], "is damaged at byte");
    }

    [Fact]
    public void Every_changed_byte_is_refused()
    {
        byte[] bytes = Bytes;
        for (int at = 0; at < bytes.Length; at++)
        {
            byte[] damaged = [.. bytes];
            damaged[at] ^= 0x41;
            bool isVersion = at is >= 4 and < 8;
            AssertRefused(
                damaged, "The list of native modules in the image",
                isVersion ? SnapshotErrorCode.UnsupportedFormat : SnapshotErrorCode.Corrupt);
        }
    }

    [Fact]
    public void Another_version_is_told()
    {
        byte[] bytes = Bytes;
        bytes[4] = 9;
        AssertRefused(bytes, "has version 9", SnapshotErrorCode.UnsupportedFormat);
    }

    [Fact]
    public void Damage_with_a_matching_checksum_is_read_or_refused()
    {
        byte[] bytes = Bytes;
        Random random = new(Seed);
        int refused = 0;
        for (int round = 0; round < 20_000; round++)
        {
            byte[] damaged = [.. bytes];
            for (int flip = 0; flip <= random.Next(3); flip++)
            {
                int at = NativeManifest.HeaderSize + random.Next(damaged.Length - NativeManifest.HeaderSize);
                damaged[at] = random.Next(3) == 0 ? byte.MaxValue : (byte)random.Next(256);
            }

            Seal(damaged);
            try
            {
                _ = NativeManifest.FromBytes(damaged);
            }
            catch (SnapshotException error) when (error.Code == SnapshotErrorCode.Corrupt)
            {
                refused++;
            }
        }

        Assert.InRange(refused, 1000, 20_000);
    }

    [Fact]
    public void Ranges_outside_of_the_module_are_refused()
    {
        byte[] bytes = NativeManifest.ToBytes(
            NativeEnvironmentTests.Faked, [s_first with { Writable = [new(0x1000, 0x1000)] }]);
        AssertRefused(bytes, "0x1000-0x2000 is not in the module");
        bytes = NativeManifest.ToBytes(
            NativeEnvironmentTests.Faked, [s_first with { Base = ulong.MaxValue - 4096, Writable = [] }]);
        AssertRefused(bytes, "no range of addresses");
        bytes =
            NativeManifest.ToBytes(NativeEnvironmentTests.Faked, [s_first with { ThreadLocalAlignment = 3 }]);
        AssertRefused(bytes, "3 is no alignment");
    }

    [Fact]
    public void What_the_format_does_not_hold_is_not_written()
    {
        NativeEnvironment environment = NativeEnvironmentTests.Faked;
        NativeModuleManifest[] many = [.. Enumerable.Repeat(s_second, NativeManifest.ModulesMax)];
        Assert.Equal(
            many.Length, NativeManifest.FromBytes(NativeManifest.ToBytes(environment, many)).Modules.Count);
        Assert.Throws<ArgumentException>(() => NativeManifest.ToBytes(environment, [.. many, s_second]));
        Assert.Throws<ArgumentException>(
            () => NativeManifest.ToBytes(environment, [s_first with { Path = new string('x', 70_000) }]));
    }

    private static void AssertSame(NativeModuleManifest expected, NativeModuleManifest actual)
    {
        Assert.Empty(expected.Differences(actual));
        Assert.Equal(expected.Path, actual.Path);
        Assert.Equal(expected.ThreadLocalOffset, actual.ThreadLocalOffset);
        Assert.Equal(expected.Writable, actual.Writable);
        Assert.Equal(expected.Needed, actual.Needed);
    }

    private static void AssertRefused(
        byte[] bytes, string reason, SnapshotErrorCode code = SnapshotErrorCode.Corrupt)
    {
        SnapshotException error = Assert.Throws<SnapshotException>(() => NativeManifest.FromBytes(bytes));
        Assert.Equal(code, error.Code);
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    private static void Seal(byte[] bytes) => BinaryPrimitives.WriteUInt64LittleEndian(
        bytes.AsSpan(NativeManifest.HeaderSize - 8),
        XxHash64.HashToUInt64(bytes.AsSpan(NativeManifest.HeaderSize)));
}
