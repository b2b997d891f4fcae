namespace Snapshot.Bench;

/// <summary>Checkpoints of a session.</summary>
internal sealed unsafe class SnapshotCheckpoints : Checkpointer
{
    [ThreadStatic]
    private static Participant? s_me;

    private readonly StoreFolder _folder;
    private readonly SnapshotSession _session;
    private readonly byte* _memory;
    private readonly List<CheckpointTicket> _tickets = [];

    internal SnapshotCheckpoints(CostSetup setup)
    {
        _folder = new StoreFolder(setup.Directory);
        _session = SnapshotSession.Open(_folder.Path, new SnapshotOptions
        {
            Encoding = setup.Encoding,
            Store = new StoreOptions { ChainLengthMax = setup.Checkpoints + 1 },
        });
        Arena arena =
            _session.OpenArena("cost", new ArenaOptions { Capacity = setup.ArenaBytes + (64L << 20) });
        _memory = (byte*)arena.RootArray<long>("data", setup.ArenaBytes / sizeof(long)).Pointer;
    }

    internal override byte* Memory => _memory;

    internal override long BytesWritten => Infos.Sum(info => info.BytesWritten);

    internal override IReadOnlyList<SnapshotInfo> Infos =>
        [.. _tickets.Select(ticket => ticket.WaitCommittedInThread())];

    internal override void Attach(int thread) => s_me = _session.Attach($"cost {thread}");

    internal override void Poll(int thread) => s_me!.Poll();

    internal override void Ask() => _tickets.Add(_session.RequestCheckpoint(
        new CheckpointOptions { WaitIfBusy = true }));

    internal override void Detach(int thread) => s_me!.Dispose();

    internal override void AwaitDurable()
    {
        foreach (CheckpointTicket ticket in _tickets) ticket.WaitCommittedInThread();
    }

    public override void Dispose()
    {
        _session.Dispose();
        _folder.Dispose();
    }
}
