using Snapshot.Base;

namespace Snapshot.Threads.Fibers;

/// <summary>
/// Checks what the arena of an image says of its fibers' workers and types before it is followed: pointers
/// lead into live allocations that are large enough, counts are what they can be, the list of workers ends.
/// </summary>
/// <remarks>
/// The records of fibers and their frames are not walked: there may be millions, and after a lazy restart
/// they have not come yet. What frames hold is the program's, and trusted as its other memory is.
/// </remarks>
internal sealed unsafe class FiberSpaceCheck(Arena arena, FiberSpaceHeader* header)
{
    private const int TypesMax = 1 << 20;
    private const int NameBytesMax = 1 << 16;
    private const int LayoutBytesMax = 16 << 20;

    private readonly HashSet<nint> _workers = [];

    /// <summary>Checks an arena that was adopted; nothing to do where it never had fibers.</summary>
    /// <exception cref="SnapshotException">Corrupt.</exception>
    internal static void Run(Arena arena)
    {
        FiberSpaceHeader* header =
            (FiberSpaceHeader*)arena.FindRootMemory(FiberSpace.RootName, sizeof(FiberSpaceHeader));
        // Of another version: whoever opens it is told so.
        if (header is not null && header->Version == FiberSpaceHeader.CurrentVersion)
            new FiberSpaceCheck(arena, header).Run();
    }

    private void Run()
    {
        Expect(
            header->Number is >= 0 and < FiberSpace.MaxSpaces, $"they have number {header->Number}", header);
        Expect(header->LastOwner is >= 0 and < RegionLimits.IdEnd, "the last id given is none", header);
        int types = header->TypeCapacity;
        bool isTable = types == 0
            ? header->TypeCount == 0
            : types is > 0 and <= TypesMax && header->TypeCount >= 0 && header->TypeCount < types
                && arena.IsAllocated(header->Types, (long)types * sizeof(FrameTypeEntry));
        Expect(isTable, "their table of types is wrong", header);
        for (int index = 1; index <= header->TypeCount; index++) CheckType(header->Types + index);
        for (WorkerRecord* worker = header->FirstWorker; worker != null; worker = worker->Next)
        {
            bool isWorker = arena.IsAllocated(worker, sizeof(WorkerRecord)) && _workers.Add((nint)worker);
            Expect(isWorker, "their list of workers is wrong", worker);
            bool isNamed = worker->NameBytes is > 0 and <= NameBytesMax
                && arena.IsAllocated(worker->Name, worker->NameBytes);
            Expect(isNamed && worker->State <= WorkerState.Finished, "a worker is wrong", worker);
        }
    }

    private void CheckType(FrameTypeEntry* type)
    {
        bool isText = type->NameBytes is > 0 and <= NameBytesMax &&
            type->LayoutBytes is >= 0 and <= LayoutBytesMax
            && arena.IsAllocated(type->Text, (long)type->NameBytes + type->LayoutBytes);
        Expect(isText, "a type of theirs is wrong", type);
    }

    private void Expect(bool holds, string otherwise, void* place)
    {
        if (holds) return;
        throw new SnapshotException(
            SnapshotErrorCode.Corrupt,
            $"The fibers in arena '{arena.Name}' are damaged: {otherwise} (at 0x{(nint)place:x}). Restart " +
            "from another generation.");
    }
}
