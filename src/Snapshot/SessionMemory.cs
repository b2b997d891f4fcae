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
    private readonly MemoryCapture _capture;
    private readonly TrackerFactory _trackers;
    private readonly AddressWindow? _window;
    private readonly Dictionary<string, RestoredBuffer> _unclaimed = [];
    private readonly Dictionary<string, RestoredBuffer> _unfilled = [];
    private readonly Dictionary<string, ProtectedBuffer> _buffers = [];
    private Arena[] _arenas = [];
    private readonly LazyFill? _awaited;
    private int _nextId = 1;
    private bool _arenasAreLeft;

    /// <param name="capture">Captures them.</param>
    /// <param name="trackers">What they are tracked by.</param>
    /// <param name="restored">What a restart mapped, or null.</param>
    /// <param name="window">Where arenas are placed that are made, or null.</param>
    /// <remarks>Owns what it is given, unless it throws.</remarks>
    internal SessionMemory(
        MemoryCapture capture, TrackerFactory trackers, RestoredMemory? restored, AddressWindow? window)
    {
        _capture = capture;
        _trackers = trackers;
        _window = window;
        _awaited = restored?.Awaited;
        capture.Restore(() =>
        {
            foreach (RestoredArena arena in restored?.Arenas ?? []) AddRestored(arena);
        });
        foreach (RestoredBuffer buffer in restored?.Buffers ?? [])
            _unclaimed.Add(buffer.Description.Name, buffer);
        _nextId = 1 + Math.Max(
            restored?.Arenas.Select(arena => arena.Description.Id).DefaultIfEmpty().Max() ?? 0,
            restored?.Buffers.Select(buffer => buffer.Description.Id).DefaultIfEmpty().Max() ?? 0);
    }

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
                _capture.Ask(existing, options.Capture);
                return existing;
            }

            if (_buffers.ContainsKey(name) || _unclaimed.ContainsKey(name))
                throw NameTaken(name, "a protected buffer");
            options = (options ?? new ArenaOptions()).FitTo(AddressSpaceLimit.Now(), _window);
            _capture.ThrowUnlessPossible(options.Capture);
            ThrowIfTooMany(name);
            Arena fresh = Arena.Create(name, baseAddress: null, options, _window);
            try
            {
                PageHashes hashes = new(fresh.Region.CapacityPages);
                AddArena(_nextId, fresh, hashes, parentPages: 0, options.Capture, isRestored: false);
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

    /// <summary>Adds a buffer; one that the image has is filled from it, now or later.</summary>
    internal void Protect(ProtectedBuffer buffer, ProtectOptions options)
    {
        lock (_changing)
        {
            string name = buffer.RegionName;
            if (_buffers.ContainsKey(name)) throw NameTaken(name, "a protected buffer");
            if (Array.Exists(_arenas, arena => arena.Name == name)) throw NameTaken(name, "an arena");
            if (!_unclaimed.TryGetValue(name, out RestoredBuffer? restored))
            {
                AddBuffer(_nextId, buffer, new PageHashes(buffer.CapacityPages), parentPages: 0, options);
                _nextId++;
                return;
            }

            // No checkpoint begins before the image's buffer is taken over.
            ThrowUnlessAsLong(buffer, restored);
            AddBuffer(
                restored.Description.Id, buffer, restored.TakeHashes(), restored.Description.CommittedPages,
                options);
            _unclaimed.Remove(name);
            if (options.Fill == ProtectFill.Later) _unfilled.Add(name, restored);
            else Fill(buffer, restored);
        }
    }

    /// <summary>Fills a buffer that was to be filled later; false: the image has nothing for it.</summary>
    internal bool Fill(string name)
    {
        lock (_changing)
        {
            if (!_buffers.TryGetValue(name, out ProtectedBuffer? buffer))
            {
                throw new SnapshotException(
                    SnapshotErrorCode.NotFound,
                    $"'{name}' is no protected buffer of this session. Protect it first.");
            }

            if (!_unfilled.Remove(name, out RestoredBuffer? restored)) return false;
            Fill(buffer, restored);
            return true;
        }
    }

    /// <summary>Removes a buffer, and what is left of it in the image; false: there is none.</summary>
    internal bool Unprotect(string name)
    {
        lock (_changing)
        {
            if (!_buffers.Remove(name, out ProtectedBuffer? buffer)) return false;
            _capture.RemoveBuffer(buffer);
            buffer.Dispose();
            if (_unfilled.Remove(name, out RestoredBuffer? restored)) restored.Dispose();
            return true;
        }
    }

    internal bool DropRestoredBuffer(string name)
    {
        lock (_changing)
        {
            if (!_unclaimed.Remove(name, out RestoredBuffer? restored) &&
                !_unfilled.Remove(name, out restored))
                return false;
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
        foreach (RestoredBuffer buffer in _unclaimed.Values.Concat(_unfilled.Values)) buffer.Dispose();
        if (_arenasAreLeft && _awaited is { IsComplete: false })
        {
            // Threads still use the arenas, and pages are still to come: that goes on until the process ends.
            s_leftBehind.Add(this);
            return;
        }

        Closing closing = default;
        closing.Do(CloseAwaited);
        closing.Dispose(_capture);
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

    private void AddBuffer(
        int id, ProtectedBuffer buffer, PageHashes hashes, long parentPages, ProtectOptions options)
    {
        _capture.AddBuffer(id, buffer, hashes, parentPages, mayWatch: !options.AlwaysHash);
        _buffers.Add(buffer.RegionName, buffer);
    }

    private void Fill(ProtectedBuffer buffer, RestoredBuffer restored)
    {
        restored.CopyTo(buffer.Address);
        _capture.IsFilled(buffer);
        restored.Dispose();
    }

    private void AddRestored(RestoredArena restored) => AddArena(
        restored.Description.Id, restored.Arena, restored.Hashes, restored.Description.CommittedPages,
        CaptureMode.Auto, isRestored: true);

    private void AddArena(
        int id, Arena arena, PageHashes hashes, long parentPages, CaptureMode asked, bool isRestored)
    {
        _capture.AddArena(id, arena, hashes, parentPages, asked, isRestored);
        _arenas = [.. _arenas, arena];
    }

    /// <exception cref="SnapshotException">Unsupported: arenas are tracked by signals.</exception>
    internal void ThrowIfBySignals(string what)
    {
        if (!_trackers.IsBySignals) return;
        throw new SnapshotException(
            SnapshotErrorCode.Unsupported,
            $"{what} cannot be in a session that tracks by signals. Choose another TrackingMechanism.");
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
