using System.Collections.Concurrent;
using Snapshot.Base;
using Snapshot.Checkpoint;
using Snapshot.Image;
using Snapshot.Interop;
using Snapshot.Memory;
using Snapshot.Restart;
using Snapshot.Tracking;

namespace Snapshot;

/// <summary>The regions of a session by name, each with what tracks and captures it.</summary>
/// <remarks>Thread-safe.</remarks>
internal sealed unsafe class SessionMemory : IDisposable
{
    /// <summary>Keeps from the finalizers what was not disposed on purpose.</summary>
    private static readonly ConcurrentBag<SessionMemory> s_leftBehind = [];

    private readonly Lock _changing = new();
    private readonly TrackerFactory _trackers;
    private readonly Dictionary<string, RestoredBuffer> _unclaimed = [];
    private readonly Dictionary<string, ProtectedBuffer> _buffers = [];
    private Arena[] _arenas = [];
    private readonly LazyFill? _awaited;
    private readonly CaptureMode _wanted;
    private int _nextId = 1;
    private bool _arenasAreLeft;

    /// <param name="options">Mechanism, capture mode and limits.</param>
    /// <param name="trackers">Owned from here on.</param>
    /// <param name="restored">What a restart mapped; owned from here on, or null.</param>
    /// <param name="parent">The image that the restored memory is as, or null.</param>
    /// <remarks>When it throws, what it owns is let go.</remarks>
    internal SessionMemory(
        SnapshotOptions options, TrackerFactory trackers, RestoredMemory? restored, ImageLink? parent)
    {
        _trackers = trackers;
        _awaited = restored?.Awaited;
        _wanted = options.Capture;
        try
        {
            ThrowUnlessPossible(options.Capture);
            Capture = new MemoryCapture(
                new StagingArea(options.Tuning.StagingLimit), trackers,
                () => _awaited is { IsComplete: false },
                parent);
            Capture.Restore(() =>
            {
                foreach (RestoredArena arena in restored?.Arenas ?? []) AddRestored(arena);
            });
        }
        catch
        {
            // What else fails while this is let go is not the cause.
            Closing closing = default;
            closing.Dispose(Capture);
            closing.Dispose(restored);
            closing.Dispose(trackers);
            throw;
        }

        foreach (RestoredBuffer buffer in restored?.Buffers ?? [])
            _unclaimed.Add(buffer.Description.Name, buffer);
        _nextId = 1 + Math.Max(
            restored?.Arenas.Select(arena => arena.Description.Id).DefaultIfEmpty().Max() ?? 0,
            restored?.Buffers.Select(buffer => buffer.Description.Id).DefaultIfEmpty().Max() ?? 0);
    }

    internal MemoryCapture Capture { get; }

    /// <summary>Streams in what a lazy restart left to come.</summary>
    internal void Stream(int threads, Action<SnapshotException> onFailed) =>
        _awaited?.Stream(threads, onFailed);

    internal IReadOnlyList<Arena> Arenas => Volatile.Read(ref _arenas);

    internal Arena OpenArena(string name, ArenaOptions? options)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        lock (_changing)
        {
            if (Array.Find(_arenas, arena => arena.Name == name) is { } existing)
            {
                if (options is null) return existing;
                ThrowUnlessLargeEnough(existing, options);
                Ask(Capture.Of(existing).Policy, options);
                return existing;
            }

            if (_buffers.ContainsKey(name) || _unclaimed.ContainsKey(name))
                throw NameTaken(name, "a protected buffer");
            options ??= new ArenaOptions();
            CapturePolicy policy = new();
            Ask(policy, options);
            ThrowIfTooMany(name);
            Arena fresh = Arena.Create(name, baseAddress: null, options);
            try
            {
                PageHashes hashes = new(fresh.Region.CapacityPages);
                AddArena(_nextId, fresh, hashes, parentPages: 0, policy, isRestored: false);
            }
            catch
            {
                fresh.Close();
                throw;
            }

            _nextId++;
            return fresh;
        }
    }

    /// <summary>Adds a buffer; one that the image has is filled from it.</summary>
    internal void Protect(ProtectedBuffer buffer)
    {
        lock (_changing)
        {
            string name = buffer.RegionName;
            if (_buffers.ContainsKey(name)) throw NameTaken(name, "a protected buffer");
            if (Array.Exists(_arenas, arena => arena.Name == name)) throw NameTaken(name, "an arena");
            if (_unclaimed.TryGetValue(name, out RestoredBuffer? restored))
            {
                ThrowUnlessAsLong(buffer, restored);
                restored.CopyTo(buffer.Address);
                AddBuffer(
                    restored.Description.Id, buffer, restored.TakeHashes(),
                    restored.Description.CommittedPages);
                _unclaimed.Remove(name);
                restored.Dispose();
            }
            else
            {
                AddBuffer(_nextId, buffer, new PageHashes(buffer.CapacityPages), parentPages: 0);
                _nextId++;
            }
        }
    }

    internal bool DropRestoredBuffer(string name)
    {
        lock (_changing)
        {
            if (!_unclaimed.Remove(name, out RestoredBuffer? restored)) return false;
            restored.Dispose();
            return true;
        }
    }

    /// <summary>
    /// A checkpoint now would leave out what the image had: refused, until it was protected again or dropped.
    /// </summary>
    internal void ThrowIfBuffersUnclaimed()
    {
        lock (_changing)
        {
            if (_unclaimed.Count == 0) return;
            throw new SnapshotException(
                SnapshotErrorCode.Unclaimed,
                "The program has not yet protected these buffers of the image again: " +
                $"{string.Join(", ", _unclaimed.Keys.Order())}. Call Protect for each before the first " +
                "checkpoint, or DropRestoredBuffer for those it does not need.");
        }
    }

    /// <summary>Lets go of the arenas without unmapping them.</summary>
    internal void LeaveArenasMapped()
    {
        lock (_changing)
        {
            _arenas = [];
            _arenasAreLeft = true;
        }
    }

    public void Dispose()
    {
        foreach (RestoredBuffer buffer in _unclaimed.Values) buffer.Dispose();
        if (_arenasAreLeft && _awaited is { IsComplete: false })
        {
            // Threads still use the arenas, and pages are still to come: that goes on until the process ends.
            s_leftBehind.Add(this);
            return;
        }

        Closing closing = default;
        closing.Do(CloseAwaited);
        closing.Dispose(Capture);
        foreach (Arena arena in _arenas) closing.Do(arena.Close);
        foreach (ProtectedBuffer buffer in _buffers.Values) closing.Dispose(buffer);
        closing.Dispose(_awaited);
        closing.Dispose(_trackers);
        closing.End();
    }

    /// <summary>
    /// Ends what comes from the image. A page that is missing is not to be read as zero when its arena is no
    /// longer registered: whoever touches it from now on, or waits for it, gets SIGSEGV, as after the
    /// unmapping that follows.
    /// </summary>
    private void CloseAwaited()
    {
        if (_awaited is null) return;
        Closing closing = default;
        closing.Do(_awaited.StopStreaming);
        foreach (Arena arena in _awaited.IsComplete ? [] : _arenas) closing.Do(arena.Seal);
        closing.Do(_awaited.Close);
        closing.End();
    }

    private void AddBuffer(int id, ProtectedBuffer buffer, PageHashes hashes, long parentPages)
    {
        Capture.AddBuffer(id, buffer, hashes, parentPages);
        _buffers.Add(buffer.RegionName, buffer);
    }

    private void AddRestored(RestoredArena restored) => AddArena(
        restored.Description.Id, restored.Arena, restored.Hashes, restored.Description.CommittedPages,
        new CapturePolicy { Wanted = _wanted }, isRestored: true);

    private void AddArena(
        int id, Arena arena, PageHashes hashes, long parentPages, CapturePolicy policy, bool isRestored)
    {
        Capture.AddArena(id, arena, hashes, parentPages, policy, isRestored);
        _arenas = [.. _arenas, arena];
    }

    /// <summary>
    /// What the program asks for an arena counts from now on; what it does not say stays the session's.
    /// </summary>
    private void Ask(CapturePolicy policy, ArenaOptions options)
    {
        ThrowUnlessPossible(options.Capture);
        policy.Wanted = options.Capture == CaptureMode.Auto ? _wanted : options.Capture;
    }

    /// <exception cref="SnapshotException">Unsupported: arenas are tracked by signals.</exception>
    internal void ThrowIfBySignals(string what)
    {
        if (!_trackers.IsBySignals) return;
        throw new SnapshotException(
            SnapshotErrorCode.Unsupported,
            $"{what} cannot be in a session that tracks by signals. Choose another TrackingMechanism.");
    }

    private void ThrowUnlessPossible(CaptureMode mode)
    {
        if (mode == CaptureMode.CopyOnWrite) _trackers.ThrowUnlessCanFreeze();
        if (_trackers.IsBySignals && mode is CaptureMode.Stage or CaptureMode.PreCopy)
        {
            throw new SnapshotException(
                SnapshotErrorCode.Unsupported,
                $"The program asks for {mode}, and a session that tracks by signals captures by " +
                "copy-on-write. Use CaptureMode.Auto, or another TrackingMechanism.");
        }

        if (mode != CaptureMode.PreCopy || _trackers.CopiesBefore) return;
        throw new SnapshotException(
            SnapshotErrorCode.Unsupported,
            "The program asks for pre-copy, and pages are tracked by content here, which shows a write " +
            "only when the participants stand still. Use CaptureMode.Auto or Stage, or track by write " +
            "protection or by soft-dirty bits if 'snapshot doctor' shows them.");
    }

    /// <summary>
    /// An arena has the capacity it was made with, for its life: to keep quiet about that would be to advise
    /// it when the arena is full.
    /// </summary>
    private static void ThrowUnlessLargeEnough(Arena existing, ArenaOptions options)
    {
        if (!options.AsksForCapacity || options.Capacity <= existing.Capacity) return;
        throw new SnapshotException(
            SnapshotErrorCode.LayoutMismatch,
            $"Arena '{existing.Name}' has a capacity of {existing.Capacity:N0} bytes, and the program asks " +
            $"for {options.Capacity:N0}. An arena keeps the capacity it was made with, also across " +
            "restarts. Ask for no more than that, and put what does not fit into another arena; or start a " +
            "new store.");
    }

    private void ThrowIfTooMany(string name)
    {
        if (_arenas.Length < SnapshotSession.MaxArenas) return;
        throw new SnapshotException(
            SnapshotErrorCode.LimitReached,
            $"Arena '{name}' would be one more than the {SnapshotSession.MaxArenas:N0} that a session may " +
            "have. Put more into each: an arena holds any number of roots.");
    }

    private static void ThrowUnlessAsLong(ProtectedBuffer buffer, RestoredBuffer restored)
    {
        if (buffer.ByteLength == restored.Description.ByteLength) return;
        throw new SnapshotException(
            SnapshotErrorCode.LayoutMismatch,
            $"Protected buffer '{buffer.RegionName}' has {buffer.ByteLength} bytes, and in the image " +
            $"{restored.Description.ByteLength}. Protect a buffer of that length and copy from it.");
    }

    private static SnapshotException NameTaken(string name, string what) =>
        new(
            SnapshotErrorCode.NameTaken,
            $"'{name}' is the name of {what} of this session. Names are unique among arenas and buffers.");
}
