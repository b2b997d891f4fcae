using System.Runtime.InteropServices;

namespace Snapshot.TestPrograms;

/// <summary>
/// A program that locks its memory, as programs do that must not page: the kernel gives none of it back, so
/// what a checkpoint used for copies stays.
/// </summary>
internal static partial class LockedMemory
{
    private const int FutureOnFault = 2 | 4; // MCL_FUTURE | MCL_ONFAULT

    internal static int Run(string store)
    {
        if (mlockall(FutureOnFault) != 0)
        {
            Console.Write($"cannot lock {Marshal.GetLastPInvokeError()}\n");
            return 0;
        }

        SnapshotOptions options =
            new() { Capture = CaptureMode.Stage, Tuning = new SnapshotTuning { StagingLimit = 64L << 20 } };
        using SnapshotSession session = SnapshotSession.Open(store, options);
        ArenaArray<long> cells =
            session.OpenArena("a", new ArenaOptions { Capacity = 64L << 20 }).RootArray<long>(
                "cells", 1 << 20);
        for (int turn = 1; turn <= 3; turn++)
        {
            cells.AsSpan().Fill(turn);
            SnapshotInfo info = session.RequestCheckpoint().WaitCommittedInThread();
            Console.Write($"committed {info.Generation} {info.MaintenanceError}\n");
        }

        return 0;
    }

    [LibraryImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int mlockall(int flags);
}
