using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Snapshot.Threads.Fibers;

/// <summary>What fibers keep in an arena: its root. Kept in images.</summary>
internal unsafe struct FiberSpaceHeader
{
    internal const int CurrentVersion = 1;

    /// <summary>Of the records and frames; 0 while nothing was made.</summary>
    internal int Version;

    /// <summary>The number of processes that have run these fibers.</summary>
    internal int Incarnation;

    /// <summary>
    /// The module version of the library that made them: its own fiber methods have frames, too.
    /// </summary>
    internal Guid Library;

    /// <summary>Types recorded, from index 1.</summary>
    internal int TypeCount;

    internal int TypeCapacity;
    internal FrameTypeEntry* Types;
    internal WorkerRecord* FirstWorker;

    /// <summary>The last number given to a fiber as the owner of locks.</summary>
    internal int LastOwner;

    /// <summary>Tells its fibers from those of other arenas, as owners of locks.</summary>
    internal int Number;

    /// <summary>Records that no worker has.</summary>
    internal FiberRecord* FirstUnused;
}

/// <summary>
/// The fibers of one arena: who works there, and what their frames are. One a session and arena.
/// </summary>
/// <remarks>
/// Thread-safe. Opening it in a restarted session checks that every frame can be resumed here.
/// </remarks>
internal sealed unsafe class FiberSpace
{
    /// <summary>The name of the root in the arena.</summary>
    internal const string RootName = "snapshot.fibers";

    /// <summary>
    /// Set in the ids of fibers, as owners of locks, and not in those of participants and handlers.
    /// </summary>
    internal const int OwnerBit = 1 << 30;

    /// <summary>Arenas of a session that can have fibers: what is left of an owner's 30 bits.</summary>
    internal const int MaxSpaces = 1 << (30 - NumberBits);

    /// <summary>Bits of a fiber's number in its arena; those above are the arena's.</summary>
    private const int NumberBits = 24;

    private const int RecordsAtOnce = 64;

    private readonly Lock _gate = new();
    private readonly FiberSpaceHeader* _header;
    private readonly HashSet<string> _running = [];
    private int _lastRun;

    /// <param name="arena">Where they live.</param>
    /// <param name="restartedGeneration">What the process was restarted from; 0 when it was not.</param>
    /// <param name="number">
    /// For an arena that has no fibers yet: one that no other of the session has.
    /// </param>
    /// <exception cref="SnapshotException">
    /// FiberMismatch: the image has fibers that cannot be resumed here.
    /// </exception>
    [DynamicDependency(DynamicallyAccessedMemberTypes.NonPublicFields, typeof(Guid))]
    internal FiberSpace(Arena arena, long restartedGeneration, int number = 0)
    {
        Arena = arena;
        RestartedGeneration = restartedGeneration;
        _header = arena.RootPointer<FiberSpaceHeader>(RootName);
        Types = new FrameTypes(arena, _header);
        Guid library = typeof(FiberSpace).Module.ModuleVersionId;
        if (_header->Version != 0) Verify(library);
        else _header->Number = number;
        _header->Version = FiberSpaceHeader.CurrentVersion;
        _header->Library = library;
        _header->Incarnation++;
    }

    /// <summary>The number of an arena's fibers; null when it has none yet.</summary>
    internal static int? NumberOf(Arena arena) =>
        arena.TryGetRoot(RootName, out ArenaArray<FiberSpaceHeader> header) && header[0].Version != 0
            ? header[0].Number
            : null;

    internal Arena Arena { get; }

    /// <summary>Tasks that fibers wait for.</summary>
    internal ExternalTasks Tasks { get; } = new();

    /// <summary>A number for one run of a worker's fibers.</summary>
    internal int NextRun() => Interlocked.Increment(ref _lastRun);

    internal FrameTypes Types { get; }

    /// <summary>The generation that the process was restarted from; 0 when it was not.</summary>
    internal long RestartedGeneration { get; }

    /// <summary>Differs between any two processes that run these fibers.</summary>
    internal int Incarnation => _header->Incarnation;

    /// <summary>
    /// The record of that worker, made when there is none; it is the caller's until it is returned.
    /// </summary>
    /// <exception cref="SnapshotException">
    /// NameTaken: a thread runs as this worker already. ArenaFull.
    /// </exception>
    internal WorkerRecord* Borrow(string name)
    {
        lock (_gate)
        {
            if (!_running.Add(name))
            {
                throw new SnapshotException(
                    SnapshotErrorCode.NameTaken,
                    $"The fibers of '{name}' in arena '{Arena.Name}' run already; a worker is one thread.");
            }

            try
            {
                return Find(name) is var found && found != null ? found : Make(name);
            }
            catch
            {
                _running.Remove(name);
                throw;
            }
        }
    }

    internal void Return(string name)
    {
        lock (_gate) _running.Remove(name);
    }

    /// <summary>
    /// A list of records for a worker, each with an id for its fibers as owners of locks. Their memory is
    /// never used for anything else, so that whoever kept a fiber's handle may ask at any time whether it has
    /// ended.
    /// </summary>
    /// <exception cref="SnapshotException">ArenaFull, LimitReached; nothing was changed.</exception>
    internal FiberRecord* TakeRecords()
    {
        lock (_gate)
        {
            if (_header->FirstUnused == null) _header->FirstUnused = MakeRecords();
            FiberRecord* first = _header->FirstUnused;
            FiberRecord* last = first;
            for (int count = 1; count < RecordsAtOnce && last->NextLive != null; count++)
                last = last->NextLive;
            _header->FirstUnused = last->NextLive;
            last->NextLive = null;
            return first;
        }
    }

    /// <summary>Takes a list of records back.</summary>
    internal void GiveRecords(FiberRecord* first)
    {
        if (first == null) return;
        FiberRecord* last = first;
        while (last->NextLive != null) last = last->NextLive;
        lock (_gate)
        {
            last->NextLive = _header->FirstUnused;
            _header->FirstUnused = first;
        }
    }

    /// <summary>The number of a fiber in its arena, by its id as the owner of locks.</summary>
    internal static int FiberNumber(int ownerId) => ownerId & ((1 << NumberBits) - 1);

    internal static string NameOf(WorkerRecord* worker) =>
        Encoding.UTF8.GetString(worker->Name, worker->NameBytes);

    private FiberRecord* MakeRecords()
    {
        if (_header->LastOwner + RecordsAtOnce >= 1 << NumberBits)
        {
            throw new SnapshotException(
                SnapshotErrorCode.LimitReached,
                $"Arena '{Arena.Name}' has {_header->LastOwner:N0} fibers, the most there can be.");
        }

        FiberRecord* records =
            (FiberRecord*)Arena.Allocate(RecordsAtOnce * sizeof(FiberRecord), alignment: 64);
        for (int i = 0; i < RecordsAtOnce; i++)
        {
            records[i].Wait.OwnerId = OwnerBit | _header->Number << NumberBits | ++_header->LastOwner;
            records[i].NextLive = i + 1 < RecordsAtOnce ? records + i + 1 : null;
        }

        return records;
    }

    private WorkerRecord* Find(string name)
    {
        byte[] wanted = Encoding.UTF8.GetBytes(name);
        for (WorkerRecord* worker = _header->FirstWorker; worker != null; worker = worker->Next)
        {
            if (new ReadOnlySpan<byte>(worker->Name, worker->NameBytes).SequenceEqual(wanted)) return worker;
        }

        return null;
    }

    private WorkerRecord* Make(string name)
    {
        byte[] text = Encoding.UTF8.GetBytes(name);
        WorkerRecord* worker = (WorkerRecord*)Arena.Allocate(sizeof(WorkerRecord), alignment: 64);
        worker->Name = (byte*)Arena.Allocate(text.Length);
        text.CopyTo(new Span<byte>(worker->Name, text.Length));
        worker->NameBytes = text.Length;
        worker->Next = _header->FirstWorker;
        _header->FirstWorker = worker;
        return worker;
    }

    private void Verify(Guid library)
    {
        if (_header->Version != FiberSpaceHeader.CurrentVersion)
        {
            throw Mismatch(
                $"their records are of version {_header->Version}, this library knows " +
                $"{FiberSpaceHeader.CurrentVersion}");
        }

        if (_header->Library != library && FindFrame(static _ => true) is { } any)
        {
            throw Mismatch(
                $"they were made by another build of Snapshot (module version {_header->Library}, here " +
                $"{library}), and {any} has not ended. Restart with the binaries that wrote the image");
        }

        Dictionary<int, string> faults = Types.BindRecorded();
        foreach ((int index, string fault) in faults)
        {
            if (FindFrame(type => type == index) is { } where)
                throw Mismatch($"{where} stands in {Types.NameOf(index)}, and {fault}");
        }
    }

    /// <summary>Who has a frame of a type that is looked for, in words; null when nobody has.</summary>
    private string? FindFrame(Func<int, bool> isWanted)
    {
        for (WorkerRecord* worker = _header->FirstWorker; worker != null; worker = worker->Next)
        {
            for (FiberRecord* fiber = worker->FirstLive; fiber != null; fiber = fiber->NextLive)
            {
                for (FiberFrame* frame = fiber->Top; frame != null; frame = frame->Parent)
                {
                    if (isWanted(frame->Type))
                        return $"fiber {FiberNumber(fiber->Wait.OwnerId)} of '{NameOf(worker)}'";
                }
            }
        }

        return null;
    }

    private SnapshotException Mismatch(string what) => new(
        SnapshotErrorCode.FiberMismatch, $"The fibers in arena '{Arena.Name}' cannot be resumed: {what}.");
}
