using Snapshot.Base;

namespace Snapshot.Threads.Native;

/// <summary>
/// Checks what the arena of an image says of native threads before any of its pointers is followed: they lead into
/// live allocations that are large enough, lists end, and no two threads have the same slot or name.
/// </summary>
/// <remarks>
/// What is in the stacks, the registers and the heap is the program's, and trusted as its other memory is. The list of
/// modules is held against the modules themselves when these are loaded.
/// </remarks>
internal sealed unsafe class KernelSpaceCheck(Arena arena, KernelSpaceHeader* header)
{
    /// <summary>Bytes of <c>struct snk_record</c>.</summary>
    internal const int RecordBytes = 4456;

    /// <summary>SNK_THREADS_MAX of kernel.h.</summary>
    private const uint SlotsEnd = 1024;

    private readonly HashSet<nint> _entries = [];
    private readonly HashSet<string> _names = [];
    private readonly HashSet<uint> _slots = [];

    /// <summary>Checks an arena that was adopted; nothing to do where it never had native threads.</summary>
    /// <exception cref="SnapshotException">Corrupt, UnsupportedFormat.</exception>
    internal static void Run(Arena arena)
    {
        KernelSpaceHeader* header =
            (KernelSpaceHeader*)arena.FindRootMemory(KernelSpace.RootName, sizeof(KernelSpaceHeader));
        // Of another layout: whoever opens it is told so.
        if (header is not null && header->Version != 0) new KernelSpaceCheck(arena, header).Run();
    }

    private void Run()
    {
        if (header->Version != KernelSpaceHeader.CurrentVersion)
        {
            throw new SnapshotException(
                SnapshotErrorCode.UnsupportedFormat,
                $"The native threads in arena '{arena.Name}' have version {header->Version}, and this library reads " +
                $"version {KernelSpaceHeader.CurrentVersion}. Restart with the version of Snapshot that made the " +
                "image.");
        }

        Expect(IsAllocated(header->Heap, header->HeapBytes), "their heap is in no allocation", header);
        if (header->Manifest != null) CheckModules(header->Manifest);
        for (KernelEntry* entry = header->FirstEntry; entry != null; entry = entry->Next)
        {
            Expect(IsAllocated(entry, sizeof(KernelEntry)) && _entries.Add((nint)entry), "their list is wrong", entry);
            Expect(IsAllocated(entry->Record, RecordBytes), "a record is in no allocation", entry);
            CheckRecord(entry->Record);
            CheckStacks(entry->Record, (byte*)entry->Memory);
        }
    }

    private void CheckModules(byte* manifest)
    {
        Expect(IsAllocated(manifest, sizeof(int)), "their list of modules is in no allocation", header);
        int bytes = *(int*)manifest;
        bool isThere = bytes is >= KernelManifest.HeaderSize and <= KernelManifest.SizeMax
            && IsAllocated(manifest, sizeof(int) + bytes);
        Expect(isThere, $"their list of modules has {bytes} bytes", manifest);
        KernelManifest read = KernelManifest.FromBytes(new ReadOnlySpan<byte>(manifest + sizeof(int), bytes));
        Expect(read.Modules.Count > 0, "their list of modules lacks the runtime", manifest);
    }

    private void CheckRecord(KernelRecord* record)
    {
        ReadOnlySpan<byte> name = new(record->Name, KernelRecord.NameSize);
        int length = name.IndexOf((byte)0);
        Expect(length > 0 && _names.Add(KernelRecord.NameOf(record)), "a thread has no name of its own", record);
        KernelState state = KernelRecord.StateOf(record);
        Expect(state <= KernelState.Ended, $"a thread has state {(uint)state}", record);
        Expect(record->Owner < RegionLimits.IdEnd, "a thread has an id that locks cannot hold", record);
        bool hasSlot = state != KernelState.Running || (record->Slot < SlotsEnd && _slots.Add(record->Slot));
        Expect(hasSlot, $"a thread has slot {record->Slot}, which is not its own", record);
    }

    /// <summary>
    /// Memory of a thread that was joined is gone; else it has the stacks, in the order they are made in.
    /// </summary>
    private void CheckStacks(KernelRecord* record, byte* memory)
    {
        if (memory == null)
        {
            Expect(KernelRecord.StateOf(record) == KernelState.Ended, "a thread that goes on has no stack", record);
            return;
        }

        KernelStacks.Layout layout = KernelStacks.LayoutAt(memory);
        bool isPlace = record->SignalStack == layout.SignalStack && record->StackLow == layout.StackLow
            && record->StackHigh > record->StackLow
            && IsAllocated(memory, (long)Math.Min(record->StackHigh - (ulong)memory, long.MaxValue));
        Expect(isPlace, "the stacks of a thread are not in its memory", record);
        bool isParked = record->Frame == 0
            || (record->Frame >= record->SignalStack && record->Frame < record->StackLow);
        Expect(isParked, "a thread is parked outside of its signal stack", record);
    }

    private bool IsAllocated(void* pointer, long bytes) =>
        ((nint)pointer & 7) == 0 && pointer != null && arena.IsAllocated(pointer, bytes);

    private void Expect(bool holds, string otherwise, void* place)
    {
        if (holds) return;
        throw new SnapshotException(
            SnapshotErrorCode.Corrupt,
            $"The native threads in arena '{arena.Name}' are damaged: {otherwise} (at 0x{(nint)place:x}). Restart " +
            "from another generation.");
    }
}
