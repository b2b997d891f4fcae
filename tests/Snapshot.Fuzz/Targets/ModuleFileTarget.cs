using Snapshot.NativeThreads;

namespace Snapshot.Fuzz.Targets;

/// <summary>The file of a native module: read, and held to the contract.</summary>
internal sealed class ModuleFileTarget() : FuzzTarget("module-file", SnapshotErrorCode.NativeModule)
{
    protected override byte[][] Expand(byte[] input) => [input];

    protected override void Read(byte[][] files)
    {
        ElfImage module = new("fuzzed.so", files[0]);
        _ = NativeModuleContract.ViolationsOf(module, []);
        _ = NativeModuleManifest.Of(module);
    }
}
