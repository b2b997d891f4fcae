using Snapshot.Threads.Fibers;
using Xunit;

namespace Snapshot.Tests.Threads;

/// <summary>
/// What an image says of the workers and types of fibers is checked before it is followed: a restart refuses
/// it, and gets past it.
/// </summary>
public sealed unsafe class ImpossibleFiberTests
{
    private delegate void Forge(ref FiberSpaceHeader space, ref FrameTypeEntry type, ref WorkerRecord worker);

    private static readonly Dictionary<string, Forge> s_rows = new()
    {
        ["a number that no arena has"] = (ref space, ref _, ref _) => space.Number = -1,
        ["an id that no lock holds"] = (ref space, ref _, ref _) => space.LastOwner = int.MinValue,
        ["less than no types"] = (ref space, ref _, ref _) => space.TypeCapacity = -1,
        ["two thousand million types"] = (ref space, ref _, ref _) => space.TypeCapacity = int.MaxValue,
        ["more types than there is room for"] = (ref space, ref _, ref _) => space.TypeCount = 17,
        ["types nowhere"] = (ref space, ref _, ref _) => space.Types = (FrameTypeEntry*)0x1000,
        ["a type's name nowhere"] = (ref _, ref type, ref _) => type.Text = (byte*)0x7f00_0000_0000,
        ["a type's name of 2 GiB"] = (ref _, ref type, ref _) => type.NameBytes = int.MaxValue,
        ["a layout of less than nothing"] = (ref _, ref type, ref _) => type.LayoutBytes = -5,
        ["a layout beyond its allocation"] = (ref _, ref type, ref _) => type.LayoutBytes = 100_000,
        ["workers nowhere"] = (ref space, ref _, ref _) => space.FirstWorker = (WorkerRecord*)1,
        ["workers without end"] = (ref space, ref _, ref worker) => worker.Next = space.FirstWorker,
        ["a worker's name nowhere"] = (ref _, ref _, ref worker) => worker.Name = null,
        ["a worker's name of 2 GiB"] = (ref _, ref _, ref worker) => worker.NameBytes = int.MaxValue,
        ["an unknown state"] = (ref _, ref _, ref worker) => worker.State = (WorkerState)9,
    };

    public static TheoryData<string> Rows => [.. s_rows.Keys];

    [Theory]
    [MemberData(nameof(Rows))]
    public void Impossible_fibers_are_damage_and_a_restart_gets_past_them(string row) =>
        ForgedThreads.AssertPassedOver(path => Make(path, s_rows[row]), SnapshotErrorCode.Corrupt);

    [Fact]
    public void What_is_possible_is_restarted_from() =>
        ForgedThreads.AssertRestarted(path => Make(path, (ref _, ref _, ref _) => { }));

    /// <summary>Generation 1 has no fibers, generation 2 a worker and a type, forged.</summary>
    private static void Make(string path, Forge forge)
    {
        using SnapshotSession session = SnapshotSession.Open(path, ForgedThreads.KeepAll);
        Arena arena = session.OpenArena("a", new ArenaOptions { Capacity = 64 << 20 });
        session.RequestCheckpoint().WaitCommittedInThread();
        ref FiberSpaceHeader space = ref arena.Root<FiberSpaceHeader>(FiberSpace.RootName);
        space.Version = FiberSpaceHeader.CurrentVersion;
        space.TypeCapacity = 16;
        space.TypeCount = 1;
        space.Types = (FrameTypeEntry*)arena.Allocate(16 * sizeof(FrameTypeEntry));
        space.Types[1] =
            new FrameTypeEntry { Text = (byte*)arena.Allocate(20), NameBytes = 10, LayoutBytes = 10 };
        WorkerRecord* worker = space.FirstWorker = (WorkerRecord*)arena.Allocate(sizeof(WorkerRecord), 64);
        worker->Name = (byte*)arena.Allocate(8);
        worker->NameBytes = 8;
        forge(ref space, ref space.Types[1], ref *worker);
        session.RequestCheckpoint().WaitCommittedInThread();
    }
}
