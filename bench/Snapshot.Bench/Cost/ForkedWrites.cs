using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Snapshot.Bench;

/// <summary>
/// All threads stop for a fork(), as Redis saves; the child writes everything past the page cache and syncs it.
/// </summary>
internal sealed unsafe partial class ForkedWrites : Checkpointer
{
    private readonly CostSetup _setup;
    private readonly HugeMemory _memory;
    private readonly StoreFolder _folder;
    private readonly Barrier _all;
    private int _result = -1;
    private int _asked;
    private int _done;

    internal ForkedWrites(CostSetup setup)
    {
        _setup = setup;
        _memory = new HugeMemory(setup.ArenaBytes);
        _folder = new StoreFolder(setup.Directory);
        _all = new Barrier(setup.Threads);
    }

    internal override byte* Memory => _memory.Pointer;

    internal override long BytesWritten => _done * _setup.ArenaBytes;

    internal override void Poll(int thread)
    {
        if (Volatile.Read(ref _asked) == Volatile.Read(ref _done)) return;
        _all.SignalAndWait();
        if (thread == 0)
        {
            Fork();
            Volatile.Write(ref _done, _asked);
        }

        _all.SignalAndWait();
    }

    /// <summary>One child at a time; the others compute while its end is waited for.</summary>
    internal override void Ask()
    {
        AwaitDurable();
        Volatile.Write(ref _asked, _asked + 1);
        Poll(0);
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
        _all.Dispose();
        _folder.Dispose();
        _memory.Dispose();
    }

    private void Fork()
    {
        using SafeFileHandle file = File.OpenHandle(
            Path.Combine(_folder.Path, $"{_asked}"), FileMode.CreateNew, FileAccess.Write);
        DirectFile.Set(file);
        int number = (int)file.DangerousGetHandle();
        Require(sn_bench_fork_write(number, _memory.Pointer, _setup.ArenaBytes, out _result), "fork");
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
