using System.Buffers.Binary;
using System.IO.Hashing;
using Snapshot.NativeThreads;

namespace Snapshot.Fuzz.Targets;

/// <summary>The list of native modules in an image: the input is what its checksum covers.</summary>
internal sealed class ModuleListTarget() : FuzzTarget("modules", SnapshotErrorCode.Corrupt)
{
    private const int LengthOffset = 8;
    private const int HashOffset = 16;

    protected override byte[][] Expand(byte[] input)
    {
        byte[] body = input.AsSpan(
            0, Math.Min(input.Length, NativeManifest.SizeMax - NativeManifest.HeaderSize))
            .ToArray();
        byte[] list = [.. "SNKM"u8, .. new byte[NativeManifest.HeaderSize - 4], .. body];
        BinaryPrimitives.WriteUInt32LittleEndian(list.AsSpan(4), NativeManifest.Version);
        BinaryPrimitives.WriteUInt32LittleEndian(list.AsSpan(LengthOffset), (uint)list.Length);
        BinaryPrimitives.WriteUInt64LittleEndian(list.AsSpan(HashOffset), XxHash64.HashToUInt64(body));
        return [list];
    }

    protected override void Read(byte[][] files)
    {
        NativeManifest manifest = NativeManifest.FromBytes(files[0]);
        byte[] again = NativeManifest.ToBytes(manifest.Environment, manifest.Modules);
        Require(again.AsSpan().SequenceEqual(files[0]), "what was read is written as it was");
        foreach (NativeModuleManifest module in manifest.Modules) _ = module.Differences(manifest.Modules[0]);
    }
}
