using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using System.Text;
using Snapshot.Base;
using Snapshot.Interop;
using Snapshot.Memory.Locks;
using Snapshot.Threads;

namespace Snapshot.NativeThreads;

/// <summary>The native threads of a session: their modules, records, stacks and heap in an arena.</summary>
/// <remarks>
/// Thread-safe. One in the life of a process: the runtime has one signal, one zone of addresses, and modules
/// with one state.
/// </remarks>
internal sealed unsafe class NativeSpace
{
    private const int RecordAlignment = 64;

    /// <summary>
    /// For what constructors of modules allocate while these are loaded for a restart. Never freed, and never
    /// used again, since the modules' variables then become what they were: the image's heap must not be
    /// changed by that.
    /// </summary>
    private const int ScratchBytes = 16 << 20;

    private readonly Lock _gate = new();
    private readonly NativeSpaceHeader* _header;
    private readonly NativeModules _modules;
    private readonly Dictionary<string, NativeThread> _threads = [];
    private readonly long _stackBytes;
    private volatile bool _isComplete;

    /// <param name="arena">Where they live.</param>
    /// <param name="heapBytes">For a new arena: of the heap; 0 for half of the arena.</param>
    /// <param name="stackBytes">Of the stack of each new thread.</param>
    /// <param name="signal">By which threads are stopped.</param>
    /// <exception cref="SnapshotException">
    /// Corrupt, UnsupportedFormat, NativeLibrary, NativeModule, SystemCall, ArenaFull.
    /// </exception>
    [DynamicDependency(DynamicallyAccessedMemberTypes.NonPublicFields, typeof(NativeSpaceHeader))]
    internal NativeSpace(Arena arena, long heapBytes, long stackBytes, int signal)
    {
        NativeRuntime.Require();
        NativeRuntime.RequireLayouts(NativeStructs.All);
        Arena = arena;
        _stackBytes = stackBytes;
        _header = arena.RootPointer<NativeSpaceHeader>(NativeSpaceHeader.RootName);
        if (_header->Version != 0) new NativeSpaceCheck(arena, _header).Run();
        _modules = new NativeModules(arena, _header);
        NativeError.ThrowIfFailed(
            NativeRuntime.snt_open(signal),
            $"Opening the runtime of native threads (signal {signal})",
            "A process has one session with native threads in its life. Nobody else may use their signal " +
            "(NativeOptions.Signal) or the addresses from 0x1e0000000000 on.");
        bool isRestored = _header->Version != 0;
        if (!isRestored) Make(heapBytes);
        if (_modules.IsComplete) OpenHeap(_header->Heap, _header->HeapBytes, isRestored);
        else OpenHeap(NativeMemory.AllocZeroed(ScratchBytes), ScratchBytes, isRestored: false);
        _isComplete = _modules.IsComplete;
        for (NativeEntry* entry = _header->FirstEntry; entry != null; entry = entry->Next) Adopt(entry);

        WaitTable.NativeThreadsSleep = true;
    }

    internal Arena Arena { get; }

    /// <summary>Whether all modules of the image are loaded, and their variables filled.</summary>
    internal bool IsComplete => _isComplete;

    internal IReadOnlyList<NativeModule> Modules
    {
        get
        {
            lock (_gate) return [.. _modules.Loaded];
        }
    }

    /// <summary>From now on fibers may wait for locks that native threads hold.</summary>
    internal static void ExpectFibers() => NativeRuntime.snt_fibers_may_wait(1);

    /// <summary>Whether a native thread has begun in this process and not ended.</summary>
    internal bool HasRunning
    {
        get
        {
            lock (_gate) return _threads.Values.Any(thread => !thread.HasEnded);
        }
    }

    /// <summary>Loads a module.</summary>
    /// <param name="path">The file.</param>
    /// <param name="protect">Makes its data part of images, and fills it from that of a restart.</param>
    internal NativeModule Load(string path, Action<string, nint, long> protect)
    {
        lock (_gate)
        {
            if (_modules.Find(path) is { } loaded) return loaded;
            bool wasComplete = _modules.IsComplete;
            NativeModule module = _modules.Load(path);
            foreach ((int index, AddressRange range) in module.Manifest.Writable.Index())
                protect($"native module {module.Name}, data {index}", (nint)range.Start, (long)range.Length);
            _modules.Add(module);
            if (_modules.IsComplete && !wasComplete) Complete();
            return module;
        }
    }

    /// <summary>Starts a thread, or lets the one of the image that has the name go on.</summary>
    /// <param name="name">Unique in the arena.</param>
    /// <param name="owner">Its id as an owner of arena locks.</param>
    /// <param name="function">Its address in a module.</param>
    /// <param name="argument">For the function.</param>
    internal NativeThread Start(string name, int owner, nint function, void* argument)
    {
        lock (_gate)
        {
            ThrowUnlessComplete();
            if (_threads.TryGetValue(name, out NativeThread? known) && !known.IsContinued)
            {
                throw new SnapshotException(
                    SnapshotErrorCode.NameTaken,
                    $"Native thread '{name}' was started already; names of native threads are unique in an " +
                    "arena.");
            }

            NativeEntry* entry = Find(name);
            bool isContinued = entry != null;
            if (entry == null) entry = Make(name, (uint)owner, function, argument);
            else ThrowUnlessSame(name, NativeRecord.Of(entry), function);
            if (known is not null) return known;
            return Run(entry, isContinued);
        }
    }

    /// <summary>Lets all threads of the image go on that do not yet.</summary>
    internal void ContinueAll()
    {
        lock (_gate)
        {
            ThrowUnlessComplete();
            NativeRuntime.snt_hold();
            try
            {
                for (NativeEntry* entry = _header->FirstEntry; entry != null; entry = entry->Next)
                {
                    string name = NativeRecord.NameOf(NativeRecord.Of(entry));
                    if (!_threads.ContainsKey(name)) Run(entry, isContinued: true);
                }
            }
            finally
            {
                NativeRuntime.snt_go();
            }
        }
    }

    /// <summary>Gives the memory of a thread that has ended back, once.</summary>
    /// <param name="entry">The thread.</param>
    /// <param name="ranHere">Whether it was started in this process.</param>
    internal void Release(NativeEntry* entry, bool ranHere)
    {
        lock (_gate)
        {
            if (entry->Memory == null) return;
            NativeRecord* record = NativeRecord.Of(entry);
            if (ranHere)
            {
                NativeError.ThrowIfFailed(
                    NativeRuntime.snt_thread_join(record), "pthread_join",
                    "The runtime's tables are damaged.");
            }

            // In this order: an image from between the two has memory that nobody uses, and not the reverse.
            void* memory = entry->Memory;
            entry->Memory = null;
            NativeStacks.Free(Arena, record, memory);
        }
    }

    /// <summary>The threads that the arena has.</summary>
    internal NativeEntry* FirstEntry => (NativeEntry*)Volatile.Read(ref *(nint*)&_header->FirstEntry);

    /// <summary>A thread that an image has left.</summary>
    private static void Adopt(NativeEntry* entry)
    {
        NativeRecord* record = NativeRecord.Of(entry);
        if (entry->Memory != null) NativeStacks.Protect(record);
        if (NativeRecord.StateOf(record) != NativeState.Running) return;
        NativeError.ThrowIfFailed(
            NativeRuntime.snt_seat_keep(record), "Taking over native threads",
            "The image's records are damaged.");
    }

    private NativeEntry* Find(string name)
    {
        NativeEntry* entry = _header->FirstEntry;
        while (entry != null && NativeRecord.NameOf(NativeRecord.Of(entry)) != name) entry = entry->Next;
        return entry;
    }

    /// <summary>
    /// Memory may be captured at any moment of this; the last store makes the thread part of it.
    /// </summary>
    private NativeEntry* Make(string name, uint owner, nint function, void* argument)
    {
        if (!NativeRecord.IsNamePossible(name))
        {
            throw new ArgumentException(
                $"the name of a native thread has at most {NativeRecord.NameSize - 1} bytes of UTF-8",
                nameof(name));
        }

        NativeRecord* record =
            (NativeRecord*)Arena.Allocate((long)NativeRuntime.snt_record_bytes(), RecordAlignment);
        NativeEntry* entry = (NativeEntry*)Arena.Allocate(sizeof(NativeEntry));
        record->Function = (ulong)function;
        record->Argument = (ulong)argument;
        record->Owner = owner;
        record->State = (uint)NativeState.Starting;
        Encoding.UTF8.GetBytes(name, new Span<byte>(record->Name, NativeRecord.NameSize - 1));
        entry->Record = (NativeRecordHead*)record;
        entry->Memory = NativeStacks.Allocate(Arena, _stackBytes, record);
        entry->Next = _header->FirstEntry;
        Volatile.Write(ref *(nint*)&_header->FirstEntry, (nint)entry);
        return entry;
    }

    private NativeThread Run(NativeEntry* entry, bool isContinued)
    {
        NativeRecord* record = NativeRecord.Of(entry);
        bool isRunning = NativeRecord.StateOf(record) != NativeState.Ended;
        if (isRunning)
        {
            NativeStacks.Touch(record);
            NativeError.ThrowIfFailed(
                NativeRuntime.snt_thread_start(record),
                $"Starting native thread '{NativeRecord.NameOf(record)}'",
                "A process has at most 1024 of them at a time, and as many threads as its limits (ulimit " +
                "-u) allow.");
        }

        NativeThread thread = new(this, entry, isContinued, isRunning);
        _threads.Add(thread.Name, thread);
        return thread;
    }

    /// <summary>All modules of the image are there now.</summary>
    private void Complete()
    {
        OpenHeap(_header->Heap, _header->HeapBytes, isRestored: true);
        _isComplete = true;
        NativeAnswers.LookAgain();
    }

    private static void OpenHeap(void* memory, long bytes, bool isRestored) => NativeError.ThrowIfFailed(
        NativeRuntime.snt_heap_open(memory, (ulong)bytes, isRestored ? 1 : 0),
        "Opening the heap of native modules",
        "The image was made by another version of the runtime, or its heap is damaged.");

    private void Make(long heapBytes)
    {
        if (heapBytes == 0) heapBytes = Arena.Capacity / 2 / Pages.Size * Pages.Size;
        _header->Heap = Arena.Allocate(heapBytes, Pages.Size);
        _header->HeapBytes = heapBytes;
        _header->Version = NativeSpaceHeader.CurrentVersion;
    }

    private void ThrowUnlessComplete()
    {
        if (_modules.IsComplete) return;
        throw new SnapshotException(
            SnapshotErrorCode.Unclaimed,
            "The image has native modules that this program has not loaded: " +
            $"{string.Join(", ", _modules.Missing)}. Load them, in this order, before native threads go on.");
    }

    private static void ThrowUnlessSame(string name, NativeRecord* record, nint function)
    {
        if (record->Function == (ulong)function) return;
        throw new SnapshotException(
            SnapshotErrorCode.NativeModule,
            $"Native thread '{name}' runs {NativeRuntime.Describe(record->Function)} in the image, and the " +
            $"program asks for {NativeRuntime.Describe((ulong)function)}. Start it with the same function.");
    }
}
