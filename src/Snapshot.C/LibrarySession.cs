using Snapshot.Base;
using Snapshot.C.Interface;
using Snapshot.Coordination;

namespace Snapshot.C;

/// <summary>A session as C programs have it: with one arena, a clock, and tickets of its own.</summary>
/// <remarks>Thread-safe, as what it is made of is.</remarks>
internal sealed unsafe class LibrarySession
{
    /// <summary>The arena in which C programs have their arrays.</summary>
    internal const string ArenaName = "main";

    private static readonly List<WeakReference<LibrarySession>> s_open = [];

    private readonly SnapshotSession _session;
    private readonly IDisposable _owner;
    private readonly ArenaOptions _arenaOptions;
    private readonly DueClock _clock;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, RegisteredHandler> _handlers = [];
    private readonly List<CheckpointTicket> _unwatched = []; // for which nobody waits
    private Arena? _arena;

    /// <param name="session">The session.</param>
    /// <param name="owner">What closes it: itself, or the job that it belongs to.</param>
    /// <param name="arena">Of the arrays.</param>
    /// <param name="clock">Of the session.</param>
    /// <param name="unmapsOnClose">Whether arrays are gone when it is closed.</param>
    internal LibrarySession(
        SnapshotSession session, IDisposable owner, ArenaOptions arena, DueClock clock, bool unmapsOnClose)
    {
        (_session, _owner) = (session, owner);
        _arenaOptions = arena;
        _clock = clock;
        Tag = new NativeText(session.Restarted?.Tag);
        if (!unmapsOnClose) _ = session.Parts.GetOrAdd(static () => new LeftMapped());
        lock (s_open) s_open.Add(new WeakReference<LibrarySession>(this));
    }

    internal long Generation => _session.Restarted?.Generation ?? 0;

    /// <summary>Of the generation that it restarted from; empty where it had none.</summary>
    internal NativeText Tag { get; }

    internal DueClock Clock => _clock;

    /// <summary>
    /// Made when it is first used, so that programs which only protect memory of their own have none; one
    /// that an image has is there from the start.
    /// </summary>
    internal Arena Arena
    {
        get
        {
            lock (_gate) return _arena ??= _session.OpenArena(ArenaName, _arenaOptions);
        }
    }

    internal static LibrarySession Open(string store, in COptions options)
    {
        DueClock clock = new(options, Text.OrNull(options.Signals, "signals"));
        OpenFlags flags = (OpenFlags)options.Flags;
        SnapshotOptions session = SessionOptions.Of(options);
        Start start = (Start)options.Start;
        if (!Enum.IsDefined(start))
            throw new ArgumentException($"start is {options.Start}: see snapshot_start.");
        SnapshotSession opened = start switch
        {
            Start.Restart => SnapshotSession.Restart(store, session),
            Start.StartOver => SnapshotSession.StartOver(store, session),
            _ => SnapshotSession.Open(store, session),
        };
        return new LibrarySession(
            opened, opened, SessionOptions.ArenaOf(options), clock, flags.HasFlag(OpenFlags.UnmapOnClose));
    }

    /// <summary>
    /// Before a fork: waits until no memory is missing, since nobody would bring it in the child.
    /// </summary>
    internal static void BeforeFork()
    {
        lock (s_open)
        {
            foreach (WeakReference<LibrarySession> open in s_open)
            {
                if (open.TryGetTarget(out LibrarySession? session)) session.AwaitFill();
            }
        }
    }

    internal void* Array(string name, string layout, long count) =>
        Arena.RootMemory(name, ElementLayout.Parse(layout), count);

    /// <returns>Null when there is none of that name.</returns>
    internal void* FindArray(string name, string layout, out long count) =>
        Arena.FindRootMemory(name, ElementLayout.Parse(layout), out count);

    internal void* Allocate(long bytes, long alignment) => alignment switch
    {
        0 => Arena.Allocate(bytes),
        > 0 and <= int.MaxValue => Arena.Allocate(bytes, (int)alignment),
        _ => throw new ArgumentException($"The alignment {alignment} is no power of two up to 2^30."),
    };

    internal void RemoveArray(string name)
    {
        if (!Arena.RemoveRoot(name)) throw NotFound($"There is no array '{name}'.");
    }

    /// <returns>A ticket that the caller must wait for, or null where it is waited for here.</returns>
    internal CheckpointTicket? Checkpoint(in CRequest request, bool keepsTicket)
    {
        RuntimeSignal.ThrowIfTaken();
        RequestFlags flags = (RequestFlags)request.Flags;
        CheckpointOptions options = new()
        {
            Tag = Text.OrNull(request.Tag, "tag"),
            Timeout = Seconds.OrNull(request.Timeout, "timeout"),
            WaitIfBusy = !flags.HasFlag(RequestFlags.SkipIfBusy),
        };
        IProgress<SnapshotProgress>? progress =
            request.Progress is null ? null : new ProgressCallback(request.Progress, request.Argument);
        CheckpointTicket ticket = _session.RequestCheckpoint(options, progress);
        if (!flags.HasFlag(RequestFlags.ReturnAtOnce)) ticket.WaitCapturedInThread();
        _clock.Captured();
        if (keepsTicket) return ticket;
        lock (_gate) _unwatched.Add(ticket);
        ThrowIfEarlierFailed(ticket);
        return null;
    }

    internal void Protect(string name, void* memory, long bytes, ProtectFlags flags) => _session.Protect(
        name, memory, bytes,
        new ProtectOptions
        {
            Fill = flags.HasFlag(ProtectFlags.FillLater) ? ProtectFill.Later : ProtectFill.Now,
            AlwaysHash = flags.HasFlag(ProtectFlags.AlwaysHash),
        });

    internal bool Fill(string name) => _session.Fill(name);

    internal void Unprotect(string name)
    {
        if (!_session.Unprotect(name) && !_session.DropRestoredBuffer(name))
            throw NotFound($"No memory is protected as '{name}', and the image has none of that name.");
    }

    internal LibraryParticipant Attach(string name) => new(_session.Attach(name));

    internal void AddHandler(string name, in CHandler handler, void* argument)
    {
        CallbackHandler callback = new(handler, argument);
        HandlerRegistration registration = _session.RegisterHandler(name, callback);
        lock (_gate) _handlers[name] = new RegisteredHandler(registration, callback);
    }

    internal void RemoveHandler(string name)
    {
        RegisteredHandler? registered;
        lock (_gate) _handlers.Remove(name, out registered);
        if (registered is null) throw NotFound($"There is no handler '{name}'.");
        registered.Remove();
    }

    /// <summary>Waits until a checkpoint is durable; the ticket is the caller's no more.</summary>
    internal static SnapshotInfo WaitAndRelease(CheckpointTicket ticket, Handle* handle)
    {
        // Where waiting would deadlock the ticket can be waited for elsewhere.
        ticket.ThrowIfWaitingWouldDeadlock();
        try
        {
            return ticket.WaitCommittedInThread();
        }
        finally
        {
            _ = Handle.Release(handle);
        }
    }

    /// <exception cref="InvalidOperationException">It is closed with the job that it belongs to.</exception>
    internal void ThrowIfOfJob()
    {
        if (_owner == _session) return;
        throw new InvalidOperationException(
            "This session is of a job, and closed with it: by snapshot_job_close.");
    }

    /// <summary>
    /// Waits for the checkpoints for which nobody waits, and closes; throws the first error after that.
    /// Handlers were told of all of it then, and are not called any more.
    /// </summary>
    internal void Close()
    {
        CheckpointTicket[] unwatched;
        lock (_gate) unwatched = [.. _unwatched];
        Closing closing = default;
        foreach (CheckpointTicket ticket in unwatched) closing.Do(() => _ = ticket.WaitCommittedInThread());
        lock (s_open) s_open.RemoveAll(open => !open.TryGetTarget(out var session) || session == this);
        Coordinator coordinator = _session.Parts.Coordinator;
        closing.Dispose(_owner);
        closing.Do(coordinator.AwaitHandlers);
        lock (_gate)
        {
            foreach (RegisteredHandler registered in _handlers.Values) closing.Do(registered.Remove);
        }

        closing.End();
    }

    internal static SnapshotException NotFound(string message) => new(SnapshotErrorCode.NotFound, message);

    /// <summary>Forgets those that have ended, and throws what the first of them that failed did.</summary>
    private void ThrowIfEarlierFailed(CheckpointTicket own)
    {
        CheckpointTicket? failed;
        lock (_gate)
        {
            failed = _unwatched.Find(ticket => ticket != own && ticket.Committed.IsFaulted);
            _unwatched.RemoveAll(ticket => ticket != own && ticket.Committed.IsCompleted);
        }

        if (failed?.Committed.Exception?.InnerException is not { } error) return;
        SnapshotErrorCode code = (error as SnapshotException)?.Code ?? SnapshotErrorCode.StoreIo;
        throw new SnapshotException(
            code, $"This checkpoint was taken; an earlier one failed after its capture. {error.Message}",
            error);
    }

    private void AwaitFill()
    {
        try
        {
            _session.Restarted?.Residency.Completed.Wait();
        }
        catch (AggregateException)
        {
            // What cannot be had fails the session by itself; the child is not to be kept from starting.
        }
    }

    /// <summary>Leaves arenas mapped when the session is closed: the program still has pointers.</summary>
    private sealed class LeftMapped : ISessionPart
    {
        public void Close()
        {
        }
    }
}
