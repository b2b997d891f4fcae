using Snapshot.Base;
using Snapshot.Threads;

namespace Snapshot.NativeThreads;

/// <summary>
/// Checks what the arena of an image says of native threads before any of its pointers is followed: they lead
/// into live allocations that are large enough, lists end, and no two threads have the same seat or name.
/// </summary>
/// <remarks>
/// What is in the stacks, the registers and the heap is the program's, and trusted as its other memory is.
/// The list of modules is held against the modules themselves when these are loaded.
/// </remarks>
internal sealed unsafe class NativeSpaceCheck(Arena arena, NativeSpaceHeader* header)
{
    /// <summary>Bytes of <c>struct snt_record</c>.</summary>
    internal const int RecordBytes = 4456;

    /// <summary>SNT_THREADS_MAX of native_thread.h.</summary>
    private const uint SeatsEnd = 1024;

    private readonly HashSet<nint> _entries = [];
    private readonly HashSet<string> _names = [];
    private readonly HashSet<uint> _seats = [];

    /// <exception cref="SnapshotException">Corrupt, UnsupportedFormat.</exception>
    internal void Run()
    {
        if (header->Version != NativeSpaceHeader.CurrentVersion)
        {
            throw new SnapshotException(
                SnapshotErrorCode.UnsupportedFormat,
                $"The native threads in arena '{arena.Name}' have version {header->Version}, and this " +
                $"library reads version {NativeSpaceHeader.CurrentVersion}. Restart with the version of " +
                "Snapshot that made the image.");
        }

        Expect(IsAllocated(header->Heap, header->HeapBytes), "their heap is in no allocation", header);
        if (header->Manifest != null) CheckModules(header->Manifest);
        for (NativeEntry* entry = header->FirstEntry; entry != null; entry = entry->Next)
        {
            Expect(IsAllocated(entry, sizeof(NativeEntry)) &&
                _entries.Add((nint)entry), "their list is wrong", entry);
            NativeRecord* record = NativeRecord.Of(entry);
            Expect(IsAllocated(record, RecordBytes), "a record is in no allocation", entry);
            CheckRecord(record);
            CheckStacks(record, (byte*)entry->Memory);
        }
    }

    private void CheckModules(byte* manifest)
    {
        Expect(IsAllocated(manifest, sizeof(int)), "their list of modules is in no allocation", header);
        int bytes = *(int*)manifest;
        bool isThere = bytes is >= NativeManifest.HeaderSize and <= NativeManifest.SizeMax
            && IsAllocated(manifest, sizeof(int) + bytes);
        Expect(isThere, $"their list of modules has {bytes} bytes", manifest);
        NativeManifest read = NativeManifest.FromBytes(new ReadOnlySpan<byte>(manifest + sizeof(int), bytes));
        Expect(read.Modules.Count > 0, "their list of modules lacks the runtime", manifest);
    }

    private void CheckRecord(NativeRecord* record)
    {
        ReadOnlySpan<byte> name = new(record->Name, NativeRecord.NameSize);
        int length = name.IndexOf((byte)0);
        Expect(
            length > 0 && _names.Add(NativeRecord.NameOf(record)), "a thread has no name of its own", record);
        NativeState state = NativeRecord.StateOf(record);
        Expect(state <= NativeState.Ended, $"a thread has state {(uint)state}", record);
        Expect(record->Owner < RegionLimits.IdEnd, "a thread has an id that locks cannot hold", record);
        bool hasSeat = state != NativeState.Running || (record->Seat < SeatsEnd && _seats.Add(record->Seat));
        Expect(hasSeat, $"a thread has seat {record->Seat}, which is not its own", record);
    }

    /// <summary>
    /// Memory of a thread that was joined is gone; else it has the stacks, in the order they are made in.
    /// </summary>
    private void CheckStacks(NativeRecord* record, byte* memory)
    {
        if (memory == null)
        {
            Expect(
                NativeRecord.StateOf(record) == NativeState.Ended, "a thread that goes on has no stack",
                record);
            return;
        }

        NativeStacks.Layout layout = NativeStacks.LayoutAt(memory);
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
            $"The native threads in arena '{arena.Name}' are damaged: {otherwise} (at 0x{(nint)place:x}). " +
            "Restart from another generation.");
    }
}
