using Snapshot.Threads.Native;

namespace Snapshot.Fuzz.Targets;

/// <summary>The file of a kernel module: read, and held to the contract.</summary>
internal sealed class ModuleFileTarget() : FuzzTarget("module-file", SnapshotErrorCode.KernelModule)
{
    protected override byte[][] Expand(byte[] input) => [input];

    protected override void Read(byte[][] files)
    {
        ElfImage module = new("fuzzed.so", files[0]);
        _ = KernelModuleContract.ViolationsOf(module, []);
        _ = KernelModuleManifest.Of(module);
    }
}
