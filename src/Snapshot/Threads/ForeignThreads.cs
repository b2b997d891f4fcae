using Snapshot.Base;
using Snapshot.Threads.Fibers;

namespace Snapshot.Threads;

/// <summary>
/// What of an arena goes on with the code of one architecture only: fibers and native threads that have not
/// ended.
/// </summary>
/// <remarks>
/// Refused when the image is restored and not when somebody opens them: a session that does not would write
/// images of its own architecture that have them.
/// </remarks>
internal static unsafe class ForeignThreads
{
    /// <summary>Refuses an arena that has some; its tables and what it says of fibers were checked.</summary>
    /// <param name="arena">Of an image of another architecture.</param>
    /// <param name="made">That architecture.</param>
    /// <exception cref="SnapshotException">FiberMismatch, Unsupported; Corrupt.</exception>
    internal static void Refuse(Arena arena, MachineArchitecture made)
    {
        FiberSpaceHeader* fibers =
            (FiberSpaceHeader*)arena.FindRootMemory(FiberSpace.RootName, sizeof(FiberSpaceHeader));
        if (fibers is not null && FindFibers(fibers) is { } worker)
            throw Refused(SnapshotErrorCode.FiberMismatch, arena, made, "fibers", worker);
        if (new NativeThreadList(arena).FindUnended() is { } thread)
            throw Refused(SnapshotErrorCode.Unsupported, arena, made, "native threads", thread);
    }

    /// <summary>
    /// A worker whose fibers have not all ended, in words; records of an unknown version may be some.
    /// </summary>
    private static string? FindFibers(FiberSpaceHeader* header)
    {
        if (header->Version == 0) return null;
        if (header->Version != FiberSpaceHeader.CurrentVersion)
            return $"records of version {header->Version}";
        for (WorkerRecord* worker = header->FirstWorker; worker != null; worker = worker->Next)
        {
            if (worker->FirstLive != null) return $"{worker->LiveFibers} of '{FiberSpace.NameOf(worker)}'";
        }

        return null;
    }

    private static SnapshotException Refused(
        SnapshotErrorCode code, Arena arena, MachineArchitecture made, string what, string which) => new(
        code,
        $"Arena '{arena.Name}' has {what} that have not ended ({which}) and were captured on {made.Name}: " +
        $"they go on there only, and this process is {MachineArchitecture.Here.Name}. Restart on " +
        $"{made.Name}; plain data can be carried over once they have ended.");
}
