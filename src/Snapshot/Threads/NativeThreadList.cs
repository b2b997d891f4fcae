using System.Runtime.InteropServices;
using System.Text;

namespace Snapshot.Threads;

/// <summary>What native threads keep in an arena: its root. Kept in images.</summary>
internal unsafe struct NativeSpaceHeader
{
    /// <summary>The name of the root.</summary>
    internal const string RootName = "snapshot.native";

    internal const int CurrentVersion = 1;

    /// <summary>Of the entries and records; 0 while nothing was made.</summary>
    internal int Version;

    /// <summary>
    /// The modules that are loaded, and the processor, serialized, behind the length of that.
    /// </summary>
    internal byte* Manifest;

    internal void* Heap;
    internal long HeapBytes;
    internal NativeEntry* FirstEntry;
}

/// <summary>A native thread in an arena: its record, and the memory that it has.</summary>
internal unsafe struct NativeEntry
{
    internal NativeEntry* Next;
    internal NativeRecordHead* Record;

    /// <summary>Of its stack, its guard and its signal stack; null once it was joined.</summary>
    internal void* Memory;
}

/// <summary>Of a thread's record what there is to know without knowing how it runs.</summary>
[StructLayout(LayoutKind.Explicit)]
internal unsafe struct NativeRecordHead
{
    /// <summary>The state of a thread that does not go on.</summary>
    internal const uint Ended = 3;

    /// <summary>Bytes of a name, with the zero byte behind it.</summary>
    internal const int NameSize = 64;

    [FieldOffset(0)]
    internal uint State;

    [FieldOffset(136)]
    internal fixed byte Name[NameSize];
}

/// <summary>
/// The native threads that an arena of an image has, as far as it takes to say whether one of them would go
/// on.
/// </summary>
/// <remarks>
/// Whoever opens native threads checks all of their memory first. This is read without that, so each step is
/// into a live allocation that is large enough, and none is taken twice.
/// </remarks>
internal sealed unsafe class NativeThreadList(Arena arena)
{
    private readonly HashSet<nint> _seen = [];

    /// <summary>
    /// A thread that has not ended, in words, or null; records of an unknown version may be some.
    /// </summary>
    /// <exception cref="SnapshotException">Corrupt.</exception>
    internal string? FindUnended()
    {
        NativeSpaceHeader* header =
            (NativeSpaceHeader*)arena.FindRootMemory(NativeSpaceHeader.RootName, sizeof(NativeSpaceHeader));
        if (header is null || header->Version == 0) return null;
        if (header->Version != NativeSpaceHeader.CurrentVersion)
            return $"records of version {header->Version}";
        for (NativeEntry* entry = header->FirstEntry; entry != null; entry = entry->Next)
        {
            Expect(_seen.Add((nint)entry) &&
                IsAllocated(entry, sizeof(NativeEntry)), "their list is wrong", entry);
            NativeRecordHead* record = entry->Record;
            Expect(IsAllocated(record, sizeof(NativeRecordHead)), "a record is in no allocation", entry);
            if (record->State != NativeRecordHead.Ended) return $"'{NameOf(record)}'";
        }

        return null;
    }

    private static string NameOf(NativeRecordHead* record)
    {
        ReadOnlySpan<byte> name = new(record->Name, NativeRecordHead.NameSize);
        int length = name.IndexOf((byte)0);
        return Encoding.UTF8.GetString(length < 0 ? name : name[..length]);
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
