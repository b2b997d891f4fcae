using Snapshot.NativeThreads;
using Snapshot.Tests.Profiles;
using Snapshot.Tests.Session;
using Snapshot.Threads;
using Xunit;

namespace Snapshot.Tests.Threads.Native;

/// <summary>
/// What an image says of native threads is checked before a pointer of it is followed: when they are opened.
/// </summary>
[Needs(Capability.NativeThreads)]
public sealed unsafe class ImpossibleRecordTests
{
    private const string Name = "thread";
    private const int ManifestLength = 4;

    /// <summary>
    /// Writes anything into what native threads keep; not a pointer type, for delegates take none.
    /// </summary>
    private delegate void Forge(ref NativeSpaceHeader space, ref NativeEntry entry, ref NativeRecord record);

    private static readonly Dictionary<string, Forge> s_rows = new()
    {
        ["another version"] = (ref space, ref _, ref _) => space.Version = 99,
        ["a heap nowhere"] = (ref space, ref _, ref _) => space.Heap = (void*)0x1000,
        ["no heap"] = (ref space, ref _, ref _) => space.Heap = null,
        ["a heap beyond its allocation"] = (ref space, ref _, ref _) => space.HeapBytes = 1L << 40,
        ["a heap of less than nothing"] = (ref space, ref _, ref _) => space.HeapBytes = -1,
        ["a list of modules nowhere"] = (ref space, ref _, ref _) => space.Manifest = (byte*)0x7f00_0000_0000,
        ["a list of modules of 2 GiB"] = (ref space, ref _, ref _) => *(int*)space.Manifest = int.MaxValue,
        ["a list of modules of less than nothing"] = (ref space, ref _, ref _) => *(int*)space.Manifest = -1,
        ["a list of modules that is damaged"] =
            (ref space, ref _, ref _) => space.Manifest[ManifestLength + NativeManifest.HeaderSize] ^= 1,
        ["threads nowhere"] = (ref space, ref _, ref _) => space.FirstEntry = (NativeEntry*)0x8,
        ["threads without end"] = (ref space, ref entry, ref _) => entry.Next = space.FirstEntry,
        ["a next thread between two words"] =
            (ref space, ref entry, ref _) => entry.Next = (NativeEntry*)((byte*)space.Heap + 1),
        ["a record nowhere"] = (ref _, ref entry, ref _) => entry.Record = (NativeRecordHead*)long.MaxValue,
        ["a record beyond its allocation"] = (ref space, ref entry, ref _) =>
            entry.Record = (NativeRecordHead*)(
                (byte*)space.Heap + space.HeapBytes - 8),
        ["a name without end"] =
            (ref _, ref _, ref record) =>
                System.Runtime.CompilerServices.Unsafe.InitBlock(ref record.Name[0], 65, 64),
        ["no name"] = (ref _, ref _, ref record) => record.Name[0] = 0,
        ["an unknown state"] = (ref _, ref _, ref record) => record.State = 77,
        ["a seat beyond all"] = (ref _, ref _, ref record) => record.Seat = 1024,
        ["an owner that locks cannot hold"] = (ref _, ref _, ref record) => record.Owner = uint.MaxValue,
        ["memory nowhere"] = (ref _, ref entry, ref _) => entry.Memory = (void*)0x10_0000,
        ["no memory"] = (ref _, ref entry, ref _) => entry.Memory = null,
        ["another signal stack"] = (ref _, ref _, ref record) => record.SignalStack += 4096,
        ["a stack of Linux"] = (ref _, ref _, ref record) => record.StackLow = 0xffff_8000_0000_0000,
        ["a stack that ends before it begins"] =
            (ref _, ref _, ref record) => record.StackHigh = record.StackLow,
        ["a stack beyond its memory"] = (ref _, ref _, ref record) => record.StackHigh += 1UL << 30,
        ["parked elsewhere"] = (ref _, ref _, ref record) => record.Frame = 0x1234,
    };

    public static TheoryData<string> Rows => [.. s_rows.Keys];

    [MachineTheory]
    [MemberData(nameof(Rows))]
    public void Impossible_native_threads_are_refused_when_they_are_opened(string row)
    {
        using TemporaryStore store = new();
        Make(store.Path, s_rows[row]);
        using SnapshotSession session = SnapshotSession.Restart(store.Path, options: ForgedThreads.KeepAll);
        Assert.Equal(2, session.Restarted!.Generation);
        Arena arena = session.OpenArena("a");
        for (int times = 0; times < 2; times++)
        {
            SnapshotException refusal = Assert.Throws<SnapshotException>(() => session.OpenNative(arena));
            Assert.True(
                refusal.Code is SnapshotErrorCode.Corrupt or SnapshotErrorCode.UnsupportedFormat,
                refusal.Message);
        }
    }

    [MachineFact]
    public void What_is_possible_is_not_refused()
    {
        using TemporaryStore store = new();
        Make(store.Path, (ref _, ref _, ref _) => { });
        using SnapshotSession session = SnapshotSession.Restart(store.Path, options: ForgedThreads.KeepAll);
        Arena arena = session.OpenArena("a");
        new NativeSpaceCheck(arena, arena.RootPointer<NativeSpaceHeader>(NativeSpaceHeader.RootName)).Run();
    }

    [MachineFact]
    public void A_record_has_the_size_that_the_runtime_says() =>
        Assert.Equal((ulong)NativeSpaceCheck.RecordBytes, NativeRuntime.snt_record_bytes());

    /// <summary>Generation 1 has no native threads, generation 2 one that runs, forged.</summary>
    private static void Make(string path, Forge forge)
    {
        using SnapshotSession session = SnapshotSession.Open(path, ForgedThreads.KeepAll);
        Arena arena = session.OpenArena("a", new ArenaOptions { Capacity = 64 << 20 });
        session.RequestCheckpoint().WaitCommittedInThread();
        ref NativeSpaceHeader space = ref arena.Root<NativeSpaceHeader>(NativeSpaceHeader.RootName);
        space.Heap = arena.Allocate(1 << 20, 4096);
        space.HeapBytes = 1 << 20;
        space.Version = NativeSpaceHeader.CurrentVersion;
        NativeModuleManifest runtime =
            NativeModuleManifest.Of(ElfImage.Open(NativeRuntime.Path)) with { Writable = [] };
        byte[] list = NativeManifest.ToBytes(NativeEnvironment.Read(), [runtime]);
        space.Manifest = (byte*)arena.Allocate(ManifestLength + list.Length);
        *(int*)space.Manifest = list.Length;
        list.CopyTo(new Span<byte>(space.Manifest + ManifestLength, list.Length));
        NativeRecord* record = (NativeRecord*)arena.Allocate(NativeSpaceCheck.RecordBytes, 64);
        record->State = (uint)NativeState.Running;
        Name.Select(letter => (byte)letter).ToArray().CopyTo(
            new Span<byte>(record->Name, NativeRecord.NameSize));
        NativeEntry* entry = space.FirstEntry = (NativeEntry*)arena.Allocate(sizeof(NativeEntry));
        *entry = new NativeEntry
        {
            Record = (NativeRecordHead*)record,
            Memory = NativeStacks.Allocate(arena, 1 << 16, record),
        };
        forge(ref space, ref *entry, ref *record);
        session.RequestCheckpoint().WaitCommittedInThread();
    }
}
