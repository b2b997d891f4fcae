using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Snapshot.Bench;

/// <summary>
/// All threads stop for a fork(), as Redis saves; the child writes everything past the page cache and syncs
/// it.
/// </summary>
internal sealed unsafe partial class ForkedWrites(CostSetup setup) : StoppingCheckpointer(setup)
{
    private int _result = -1;

    /// <summary>One child at a time; the others compute while its end is waited for.</summary>
    internal override void Ask()
    {
        AwaitDurable();
        base.Ask();
    }

    internal override void AwaitDurable()
    {
        if (_result < 0) return;
        Require(sn_bench_await_result(_result), "the child's write");
        _result = -1;
    }

    public override void Dispose()
    {
        AwaitDurable();
        base.Dispose();
    }

    private protected override void Begin()
    {
    }

    private protected override void Save(int thread)
    {
        if (thread > 0) return;
        using SafeFileHandle file = File.OpenHandle(FilePath, FileMode.CreateNew, FileAccess.Write);
        DirectFile.Set(file);
        int number = (int)file.DangerousGetHandle();
        Require(sn_bench_fork_write(number, Memory, Setup.ArenaBytes, out _result), "fork");
    }

    private protected override void End()
    {
    }

    private static void Require(int error, string call)
    {
        if (error != 0) throw new IOException($"{call} failed: {Marshal.GetPInvokeErrorMessage(error)}");
    }

    [LibraryImport("snapshot_bench_native")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    private static partial int sn_bench_fork_write(int file, byte* memory, long bytes, out int result);

    [LibraryImport("snapshot_bench_native")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    private static partial int sn_bench_await_result(int result);
}
