using System.Buffers.Binary;
using Snapshot.Base;
using Snapshot.Fuzz.Forging;
using Snapshot.Image;
using Snapshot.NativeThreads;
using Snapshot.Tests.Profiles;
using Snapshot.Tests.Session;
using Snapshot.Threads;
using Snapshot.Threads.Fibers;
using Xunit;

namespace Snapshot.Tests.Threads;

/// <summary>
/// An image of another architecture: plain data is restarted from, threads that go on with code are refused
/// by name.
/// </summary>
public sealed unsafe class ForeignThreadsTests : IDisposable
{
    private const long Answer = 42;

    /// <summary>
    /// Writes anything into what native threads keep; not a pointer type, for delegates take none.
    /// </summary>
    private delegate void Forge(ref NativeSpaceHeader space, ref NativeEntry entry);

    /// <summary>Each after a thread that has ended, so that the walk goes on.</summary>
    private static readonly Dictionary<string, Forge> s_damage = new()
    {
        ["threads nowhere"] = (ref space, ref _) => space.FirstEntry = (NativeEntry*)0x8,
        ["threads outside of the arena"] =
            (ref space, ref _) => space.FirstEntry = (NativeEntry*)0x7f00_0000_0000,
        ["threads without end"] = (ref space, ref entry) => entry.Next = space.FirstEntry,
        ["a next thread between two words"] =
            (ref space, ref entry) => entry.Next = (NativeEntry*)((byte*)space.Heap + 1),
        ["a next thread beyond its allocation"] =
            (ref space, ref entry) => entry.Next = (NativeEntry*)((byte*)space.Heap + space.HeapBytes - 8),
        ["no record"] = (ref _, ref entry) => entry.Record = null,
        ["a record nowhere"] = (ref _, ref entry) => entry.Record = (NativeRecordHead*)long.MaxValue,
        ["a record beyond its allocation"] = (ref space, ref entry) => entry.Record = (NativeRecordHead*)(
            (byte*)space.Heap + space.HeapBytes - 8),
    };

    public static TheoryData<string> Damage => [.. s_damage.Keys];

    private readonly TemporaryStore _store = new();

    public void Dispose() => _store.Dispose();

    [Fact]
    public void Arenas_of_another_architecture_are_restarted_from_and_the_next_image_is_of_this_one()
    {
        MakeForeign(MachineArchitecture.Arm64, static _ => { });
        using (SnapshotStore store = SnapshotStore.OpenReadOnly(_store.Path))
            Assert.Equal("arm64, little-endian", store.Describe(2).Architecture);
        using SnapshotSession session = Restart();
        Assert.Equal(2, session.Restarted!.Generation);
        Assert.Equal(Answer, session.OpenArena("a").Root<long>("answer"));
        Assert.Equal(3, session.RequestCheckpoint().WaitCommittedInThread().Generation);
        Assert.Equal(MachineArchitecture.Here.ToString(), session.Store.Describe(3).Architecture);
    }

    [Fact]
    public void Fibers_that_have_not_ended_are_refused() => AssertFibersAreRefused(RestartFill.Eager);

    [MachineFact]
    [Needs(Capability.PagesOnDemand)]
    public void Fibers_that_have_not_ended_are_refused_before_their_pages_have_come() =>
        AssertFibersAreRefused(RestartFill.Lazy);

    private void AssertFibersAreRefused(RestartFill fill)
    {
        MakeForeign(MachineArchitecture.Arm64, arena => ForgeWorker(arena, live: 3));
        SnapshotException error = AssertRefused(SnapshotErrorCode.FiberMismatch, fill);
        Assert.Contains(
            "Arena 'a' has fibers that have not ended (3 of 'worker') and were captured on arm64: they go " +
            $"on there only, and this process is {MachineArchitecture.Here.Name}.", error.Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Fibers_of_records_that_are_not_known_are_refused()
    {
        MakeForeign(MachineArchitecture.Arm64, arena =>
        {
            ForgeWorker(arena, live: 0);
            arena.Root<FiberSpaceHeader>(FiberSpace.RootName).Version = 7;
        });
        Assert.Contains(
            "(records of version 7)", AssertRefused(SnapshotErrorCode.FiberMismatch).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Fibers_that_have_ended_are_no_obstacle()
    {
        MakeForeign(MachineArchitecture.Arm64, arena => ForgeWorker(arena, live: 0));
        using SnapshotSession session = Restart();
        Assert.Equal(2, session.Restarted!.Generation);
    }

    [Theory]
    [InlineData(NativeState.Running, true)]
    [InlineData(NativeState.Ended, false)]
    public void Native_threads_are_refused_unless_they_have_ended(object state, bool isRefused)
    {
        MakeForeign(MachineArchitecture.Arm64, arena => ForgeThread(arena, (NativeState)state));
        if (!isRefused)
        {
            using SnapshotSession session = Restart();
            Assert.Equal(2, session.Restarted!.Generation);
            return;
        }

        Assert.Contains(
            "Arena 'a' has native threads that have not ended ('thread') and were captured on arm64",
            AssertRefused(SnapshotErrorCode.Unsupported).Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Damage))]
    public void Native_threads_that_cannot_be_walked_are_damage_and_a_restart_gets_past_them(string damage)
    {
        MakeForeign(MachineArchitecture.Arm64, arena =>
        {
            ForgeThread(arena, NativeState.Ended);
            ref NativeSpaceHeader space = ref arena.Root<NativeSpaceHeader>(NativeSpaceHeader.RootName);
            s_damage[damage](ref space, ref *space.FirstEntry);
        });
        SnapshotException error = Assert.Throws<SnapshotException>(() => Restart().Dispose());
        Assert.Equal(SnapshotErrorCode.Corrupt, error.Code);
        Assert.Contains(
            "The native threads in arena 'a' are damaged", error.Message, StringComparison.Ordinal);
        using SnapshotSession older = Restart(allowOlder: true);
        Assert.Equal(1, older.Restarted!.Generation);
    }

    [Fact]
    public void Native_threads_of_records_that_are_not_known_are_refused()
    {
        MakeForeign(MachineArchitecture.Arm64, arena =>
        {
            ForgeThread(arena, NativeState.Ended);
            arena.Root<NativeSpaceHeader>(NativeSpaceHeader.RootName).Version = 7;
        });
        Assert.Contains(
            "(records of version 7)", AssertRefused(SnapshotErrorCode.Unsupported).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_native_thread_whose_name_does_not_end_is_refused_by_what_there_is_of_it()
    {
        MakeForeign(MachineArchitecture.Arm64, arena =>
        {
            ForgeThread(arena, NativeState.Running);
            ref NativeSpaceHeader space = ref arena.Root<NativeSpaceHeader>(NativeSpaceHeader.RootName);
            new Span<byte>(space.FirstEntry->Record->Name, NativeRecord.NameSize).Fill((byte)'n');
        });
        Assert.Contains(
            $"('{new string('n', NativeRecord.NameSize)}')",
            AssertRefused(SnapshotErrorCode.Unsupported).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void What_the_core_reads_of_a_record_is_where_it_is_written()
    {
        NativeRecord record = default;
        NativeRecordHead* head = (NativeRecordHead*)&record;
        Assert.True(&head->State == &record.State);
        Assert.True(head->Name == record.Name);
    }

    [Fact]
    public void Another_byte_order_is_refused_though_an_older_generation_would_do()
    {
        MakeForeign(new MachineArchitecture(22, IsLittleEndian: false), static _ => { });
        string message = AssertRefused(SnapshotErrorCode.Unsupported).Message;
        Assert.Contains(
            $"memory of machine 22 of ELF, big-endian, and this process is {MachineArchitecture.Here}",
            message, StringComparison.Ordinal);
    }

    /// <summary>Generation 1 is of this machine, generation 2 its copy, of another.</summary>
    private void MakeForeign(MachineArchitecture made, Action<Arena> fill)
    {
        using (SnapshotSession session = SnapshotSession.Open(_store.Path, ForgedThreads.KeepAll))
        {
            Arena arena = session.OpenArena("a", new ArenaOptions { Capacity = 64 << 20 });
            arena.Root<long>("answer") = Answer;
            fill(arena);
            session.RequestCheckpoint().WaitCommittedInThread();
        }

        StoreForger.AddForged(_store.Path, parts =>
        {
            BinaryPrimitives.WriteUInt16LittleEndian(
                parts.Header.AsSpan(ImageFormat.Header.Architecture), made.Number);
            parts.Header[ImageFormat.Header.ByteOrder] =
                made.IsLittleEndian ? ImageFormat.LittleEndian : ImageFormat.BigEndian;
        });
    }

    private static void ForgeWorker(Arena arena, int live)
    {
        ref FiberSpaceHeader space = ref arena.Root<FiberSpaceHeader>(FiberSpace.RootName);
        space.Version = FiberSpaceHeader.CurrentVersion;
        WorkerRecord* worker = space.FirstWorker = (WorkerRecord*)arena.Allocate(sizeof(WorkerRecord), 64);
        worker->Name = (byte*)arena.Allocate(6);
        "worker"u8.CopyTo(new Span<byte>(worker->Name, 6));
        worker->NameBytes = 6;
        worker->State = live > 0 ? WorkerState.Started : WorkerState.Finished;
        worker->LiveFibers = live;
        if (live > 0) worker->FirstLive = (FiberRecord*)arena.Allocate(sizeof(FiberRecord), 64);
    }

    private static void ForgeThread(Arena arena, NativeState state)
    {
        ref NativeSpaceHeader space = ref arena.Root<NativeSpaceHeader>(NativeSpaceHeader.RootName);
        space.Heap = arena.Allocate(1 << 20, 4096);
        space.HeapBytes = 1 << 20;
        space.Version = NativeSpaceHeader.CurrentVersion;
        NativeRecord* record = (NativeRecord*)arena.Allocate(NativeSpaceCheck.RecordBytes, 64);
        record->State = (uint)state;
        "thread"u8.CopyTo(new Span<byte>(record->Name, NativeRecord.NameSize));
        space.FirstEntry = (NativeEntry*)arena.Allocate(sizeof(NativeEntry));
        *space.FirstEntry = new NativeEntry
        {
            Record = (NativeRecordHead*)record,
            Memory = NativeStacks.Allocate(arena, 1 << 16, record),
        };
    }

    private SnapshotSession Restart(RestartFill fill = RestartFill.Eager, bool allowOlder = false) =>
        SnapshotSession.Restart(
            _store.Path,
            ForgedThreads.Restarting(new RestartOptions { Fill = fill, AllowOlderGeneration = allowOlder }));

    /// <summary>
    /// It says nothing against the image: an older one is not taken in its place. Nothing stays mapped.
    /// </summary>
    private SnapshotException AssertRefused(SnapshotErrorCode code, RestartFill fill = RestartFill.Eager)
    {
        SnapshotException error = Assert.Throws<SnapshotException>(() => Restart(fill).Dispose());
        Assert.Equal(code, error.Code);
        Assert.EndsWith("0000000002.snapshot", error.Path, StringComparison.Ordinal);
        Assert.Equal(
            code, Assert.Throws<SnapshotException>(() => Restart(fill, allowOlder: true).Dispose()).Code);
        using SnapshotSession older = SnapshotSession.Restart(
            _store.Path, ForgedThreads.Restarting(new RestartOptions { Generation = 1 }));
        Assert.Equal(Answer, older.OpenArena("a").Root<long>("answer"));
        return error;
    }
}
