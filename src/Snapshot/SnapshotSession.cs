using Snapshot.Base;
using Snapshot.Checkpoint;
using Snapshot.Coordination;
using Snapshot.Image;
using Snapshot.Interop;
using Snapshot.Memory;
using Snapshot.Restart;
using Snapshot.Tracking;

namespace Snapshot;

/// <summary>
/// One unit of checkpoint and restart in a process: arenas, participants, handlers and one store.
/// </summary>
/// <remarks>
/// <para>Open the session, open its arenas, attach the threads that write them, and ask for checkpoints.
/// After a crash the same program opens the same store. It finds the arenas at their addresses, as they were
/// at the newest generation.</para>
/// <para>Any thread may use any member, unless the member says otherwise. Close the session after its
/// participants have left.</para>
/// </remarks>
public sealed partial class SnapshotSession : IAsyncDisposable, IDisposable
{
    /// <summary>The number of arenas that a session may have.</summary>
    public const int MaxArenas = 1024;

    private readonly SnapshotStore _store;
    private readonly Coordinator _coordinator;
    private readonly SessionMemory _memory;
    private readonly Checkpoints _checkpoints;
    private readonly SessionFibers _fibers;
    private readonly ProcessorShare _share;
    private readonly SessionParts _parts;
    private readonly Subscribers _subscribers = new();
    private readonly SessionClosing _closing;

    /// <remarks>Owns what it is given, also when it throws: nothing of it is left then.</remarks>
    private SnapshotSession(
        SnapshotStore store, SnapshotOptions options, TrackerFactory trackers, RestoredState? restored)
    {
        _store = store;
        _share = new ProcessorShare(options.Tuning.AdjustsPriorities);
        try
        {
            _coordinator = new Coordinator(options.Gates, options.GateTimeout)
            {
                HandlerFailed = error => _subscribers.Raise(HandlerFailed, this, error),
                ParticipantDied = name => _subscribers.Raise(ParticipantDied, this, name),
            };
            _checkpoints = new Checkpoints(
                _coordinator, store, trackers, _share, SettingsOf(options, restored), _subscribers);
            _memory = new SessionMemory(
                _checkpoints.Memory, trackers, restored?.Memory, options.AddressWindow);
            if (restored is not null)
            {
                _coordinator.Restore(restored.Coordination);
                Restarted = restored.Info;
                store.Continue(restored.Head.Generation);
            }

            _fibers = new SessionFibers(Restarted?.Generation ?? 0, () => _memory.Arenas);
            _parts = new SessionParts(_coordinator, _share, _memory, _fibers, _subscribers);
            _closing = new SessionClosing(() => _checkpoints.IsCurrent, _checkpoints.Close, CloseAsync);
            _memory.Stream(restored?.Threads ?? 0, _coordinator.FailRestart);
        }
        catch
        {
            // What else fails while this is let go is not the cause.
            Closing closing = default;
            closing.Dispose(_checkpoints);
            closing.Dispose(_coordinator);
            if (_memory is null)
            {
                closing.Dispose(_checkpoints?.Memory);
                closing.Dispose(restored?.Memory);
                closing.Dispose(trackers);
            }

            closing.Dispose(_memory);
            closing.Dispose(store);
            throw;
        }
    }

    /// <summary>What the session was restarted from, or null when it started fresh.</summary>
    public RestartInfo? Restarted { get; }

    /// <summary>Whether the session continues the state of an image.</summary>
    public bool IsRestarted => Restarted is not null;

    /// <summary>The store; its read side may be used while the session runs.</summary>
    public SnapshotStore Store => _store;

    /// <summary>The arenas that are open, those of the image included.</summary>
    public IReadOnlyList<Arena> Arenas => _memory.Arenas;

    /// <summary>
    /// Raised when a handler throws where that undoes nothing: in a resume part after Continued, Omitted or
    /// Aborted, and in a committed part. On the thread the handler ran on. What a subscriber throws is in
    /// <see cref="SnapshotInfo.SubscriberErrors"/>.
    /// </summary>
    public event EventHandler<HandlerError>? HandlerFailed;

    /// <summary>
    /// Raised with the name of a participant whose thread ended without leaving: it is not waited for any
    /// more, and locks it held stay held. On the thread that noticed. What a subscriber throws is in
    /// <see cref="SnapshotInfo.SubscriberErrors"/>.
    /// </summary>
    public event EventHandler<string>? ParticipantDied;

    /// <summary>Restarts from the newest generation of a store, or starts fresh when it holds none.</summary>
    /// <param name="directory">The directory of the store; made when it is missing.</param>
    /// <param name="options">How the session behaves, or null for the defaults.</param>
    /// <exception cref="SnapshotException">Any code of opening a store and of a restart.</exception>
    public static SnapshotSession Open(string directory, SnapshotOptions? options = null)
    {
        options ??= new SnapshotOptions();
        return Open(OpenStore(directory, options), options);
    }

    /// <summary>Starts fresh in an empty store.</summary>
    /// <param name="directory">The directory of the store; made when it is missing.</param>
    /// <param name="options">How the session behaves, or null for the defaults.</param>
    /// <exception cref="SnapshotException">
    /// StoreNotEmpty when it holds generations; any code of opening a store.
    /// </exception>
    public static SnapshotSession Create(string directory, SnapshotOptions? options = null)
    {
        options ??= new SnapshotOptions();
        return Begin(
            OpenStore(directory, options),
            options,
            static store => store.Newest is not { } newest
                ? null
                : throw new SnapshotException(
                    SnapshotErrorCode.StoreNotEmpty,
                    $"'{store.Directory}' holds generation {newest.Generation}: restart from it, start in " +
                    $"another directory, or begin beside it with {nameof(StartOver)}.")
                { Path = store.Directory, Generation = newest.Generation });
    }

    /// <summary>
    /// Starts fresh, whatever the store holds: nothing is restored, and the first checkpoint is a full image
    /// with the next number. Older generations stay as they are, to be restarted from by number or tag, until
    /// <see cref="StoreOptions.Retention"/> lets them go.
    /// </summary>
    /// <remarks>
    /// Neither <see cref="SnapshotOptions.Restart"/> nor the environment variable <c>SNAPSHOT_RESTART</c>
    /// counts. Before that first checkpoint a restart still takes the generation that it would have taken.
    /// Afterwards <see cref="RestartOptions.AllowOlderGeneration"/> may go back beyond it.
    /// </remarks>
    /// <param name="directory">The directory of the store; made when it is missing.</param>
    /// <param name="options">How the session behaves, or null for the defaults.</param>
    /// <exception cref="SnapshotException">Any code of opening a store.</exception>
    public static SnapshotSession StartOver(string directory, SnapshotOptions? options = null)
    {
        options ??= new SnapshotOptions();
        return Begin(OpenStore(directory, options), options, static _ => null);
    }

    /// <summary>Restarts from a generation of a store.</summary>
    /// <param name="directory">The directory of the store.</param>
    /// <param name="options">How the session behaves, or null for the defaults.</param>
    /// <exception cref="SnapshotException">
    /// NotFound, Corrupt, ChainBroken, UnsupportedFormat, AddressTaken, and any code of opening a store; for
    /// an image of another architecture FiberMismatch where it has fibers, and Unsupported where it has
    /// native threads or another byte order. Nothing stays mapped.
    /// </exception>
    public static SnapshotSession Restart(string directory, SnapshotOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        if (!Directory.Exists(directory))
        {
            throw new SnapshotException(
                SnapshotErrorCode.NotFound,
                $"'{Path.GetFullPath(directory)}' does not exist, so there is nothing to restart from.")
            { Path = Path.GetFullPath(directory) };
        }

        options ??= new SnapshotOptions();
        return Begin(
            OpenStore(directory, options), options,
            store => EnvironmentDefaults.Restart(options.Restart, store));
    }

    /// <summary>
    /// Opens an arena: the one of that name when the session has it, open or restored, else a fresh one.
    /// </summary>
    /// <param name="name">Unique in the session.</param>
    /// <param name="options">
    /// For a fresh arena. An arena that exists keeps its capacity and pages, and is captured from now on as
    /// they say.
    /// </param>
    /// <exception cref="SnapshotException">
    /// AddressTaken, SystemCall, NameTaken (by a protected buffer), Unsupported (a way of capture that does
    /// not work here), LimitReached (there are <see cref="MaxArenas"/>), LayoutMismatch (it exists, and has
    /// less than the capacity that is asked for).
    /// </exception>
    public Arena OpenArena(string name, ArenaOptions? options = null)
    {
        ThrowIfDisposed();
        return _memory.OpenArena(name, options);
    }

    /// <summary>
    /// Makes the calling thread a participant. After a restart its handlers are told Restarted before this
    /// returns.
    /// </summary>
    /// <param name="name">
    /// Unique among the attached; after a restart the name under which the image knows it.
    /// </param>
    /// <param name="options">Its handlers and gates, or null for none.</param>
    /// <exception cref="SnapshotException">NameTaken, RestartFailed.</exception>
    public Participant Attach(string name, ParticipantOptions? options = null)
    {
        ThrowIfDisposed();
        return _coordinator.Attach(name, options);
    }

    /// <summary>
    /// Makes the calling thread a worker that runs fibers until all have ended. In a restarted session these
    /// are the fibers that the image has under this name, each from its last await on.
    /// </summary>
    /// <remarks>
    /// A name is run once in the life of an arena: when its fibers have all ended the call returns, and so
    /// does every later one, also after a restart. What a program does next has another name. An exception
    /// that leaves a fiber's outermost method ends the call, and no checkpoint is taken after that.
    /// </remarks>
    /// <param name="name">As for <see cref="Attach"/>.</param>
    /// <param name="arena">Where the fibers live.</param>
    /// <param name="start">Starts the first ones, with <see cref="Fiber.Start{TArgument}"/>; not called when
    /// the image has them.</param>
    /// <param name="options">The handlers and gates of the participant, or null for none.</param>
    /// <param name="cancellation">Ends the call between two fibers' turns, when none is in a critical
    /// section; a later one goes on from there.</param>
    /// <exception cref="SnapshotException">FiberMismatch: the image has fibers that this program cannot
    /// resume. FiberFailed: a fiber did. NameTaken, RestartFailed, ArenaFull, LimitReached.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public void RunFibers(
        string name, Arena arena, Action start, ParticipantOptions? options = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(arena);
        ArgumentNullException.ThrowIfNull(start);
        using Participant participant = Attach(name, options);
        FiberWorker.Run(participant, _fibers.Of(arena), start, cancellation);
    }

    /// <summary>
    /// Makes a handler of one fiber method: what is before its <c>await checkpoint</c> is its prepare part,
    /// what is after it its resume part, with the same locals, also in a new process.
    /// </summary>
    /// <remarks>
    /// Register it once, with the session (then it is async) or with a participant (then it is sync). In a
    /// new process register it under the same name with the same method.
    /// </remarks>
    /// <param name="arena">Where its frames live.</param>
    /// <param name="argument">Given to the method: as a rule, where its state is.</param>
    /// <param name="body">The method; begun anew for each checkpoint. It may end without awaiting.</param>
    /// <param name="committed">See <see cref="ICheckpointHandler.Committed"/>; or null.</param>
    public ICheckpointHandler CreateHandler<TArgument>(
        Arena arena,
        TArgument argument,
        Func<PendingCheckpoint, TArgument, FiberTask> body,
        Action<long>? committed = null)
        where TArgument : unmanaged
    {
        ArgumentNullException.ThrowIfNull(arena);
        ArgumentNullException.ThrowIfNull(body);
        return new FiberHandler<TArgument>(() => _fibers.Of(arena), argument, body, committed);
    }

    /// <summary>
    /// Registers an async handler. After a restart a handler that the image knows is told Restarted, while
    /// the participants run.
    /// </summary>
    /// <param name="name">
    /// Unique among the async handlers; after a restart the name under which the image knows it.
    /// </param>
    /// <param name="handler">Its parts run on the session's handler thread.</param>
    /// <exception cref="SnapshotException">NameTaken, RestartFailed.</exception>
    public HandlerRegistration RegisterHandler(string name, ICheckpointHandler handler)
    {
        ThrowIfDisposed();
        return _coordinator.RegisterHandler(name, handler);
    }

    /// <summary>Asks for a checkpoint and returns at once.</summary>
    /// <param name="options">What to ask for, or null for the defaults.</param>
    /// <param name="progress">
    /// Is told how far the checkpoint is, on a thread of the session. It must not wait for a checkpoint. What
    /// it throws is in <see cref="SnapshotInfo.ProgressError"/>.
    /// </param>
    /// <param name="cancellation">Cancels the checkpoint, if its commit has not begun.</param>
    /// <exception cref="SnapshotException">Busy: another one is running, and the request does not wait for
    /// it.
    /// </exception>
    public CheckpointTicket RequestCheckpoint(
        CheckpointOptions? options = null, IProgress<SnapshotProgress>? progress = null,
        CancellationToken cancellation = default)
    {
        ThrowIfDisposed();
        return _checkpoints.Request(options ?? new CheckpointOptions(), progress, cancellation);
    }

    /// <summary>
    /// Takes a checkpoint; ends when it is committed. Not for participants: if one blocks in it, the
    /// checkpoint fails with <see cref="SnapshotErrorCode.SelfDeadlock"/>; if one awaits it, another thread
    /// may go on.
    /// </summary>
    /// <inheritdoc cref="RequestCheckpoint"/>
    public Task<SnapshotInfo> CheckpointAsync(
        CheckpointOptions? options = null, IProgress<SnapshotProgress>? progress = null,
        CancellationToken cancellation = default) =>
        RequestCheckpoint(options, progress, cancellation).Committed;

    /// <summary>
    /// Cancels a running checkpoint, ends the session's threads, unmaps its arenas and closes the store.
    /// </summary>
    /// <remarks>
    /// While participants are still attached the arenas stay mapped, until the process ends: a thread that
    /// writes one must not fault because another closed the session. So they do after native threads:
    /// variables of native modules refer to their heap. Nothing captures them any more.
    /// </remarks>
    public ValueTask DisposeAsync() => new(_closing.RunAsync());

    /// <summary>
    /// As <see cref="DisposeAsync"/>, and waits for it; but not where the checkpoint calls, as in a progress
    /// callback.
    /// </summary>
    public void Dispose() => _closing.Run();

    /// <summary>What another assembly of the library may use of the session, and what it has added.</summary>
    internal SessionParts Parts
    {
        get
        {
            ThrowIfDisposed();
            return _parts;
        }
    }

    /// <summary>The same with a store that is open already; owned from here on.</summary>
    internal static SnapshotSession Open(SnapshotStore store, SnapshotOptions options) =>
        Begin(store, options, opened =>
        {
            RestartOptions wanted = EnvironmentDefaults.Restart(options.Restart, opened);
            return opened.Newest is null && !wanted.NamesOne ? null : wanted;
        });

    private static SnapshotStore OpenStore(string directory, SnapshotOptions options) =>
        SnapshotStore.Open(directory, options.Store, options.Tuning.DirectIo);

    /// <summary>Memory that cannot be given back is no reason to keep the store from the next one.</summary>
    private async Task CloseAsync()
    {
        await _checkpoints.DisposeAsync().ConfigureAwait(false);
        Closing closing = default;
        closing.Do(_parts.Close);
        closing.Dispose(_coordinator);
        if (_coordinator.HasParticipants || _parts.Any) _memory.LeaveArenasMapped();
        closing.Dispose(_memory);
        closing.Dispose(_store);
        closing.End();
    }

    private CheckpointSettings SettingsOf(SnapshotOptions options, RestoredState? restored) => new()
    {
        Timeout = options.Timeout,
        Encoding = options.Encoding,
        EncoderThreads = options.Tuning.EncoderThreads,
        DrainBytesPerSecond = options.Tuning.DrainBytesPerSecond,
        Capture = options.Capture,
        StagingLimit = options.Tuning.StagingLimit,
        Parent = restored?.Head,
        IsFilling = () => restored?.Memory.Awaited is { IsComplete: false },
        ThrowUnlessComplete = () => _memory.ThrowIfBuffersUnclaimed(),
    };

    /// <param name="store">Owned from here on.</param>
    /// <param name="options">How the session behaves.</param>
    /// <param name="choose">What to restart from, or null to start fresh.</param>
    private static SnapshotSession Begin(
        SnapshotStore store, SnapshotOptions options, Func<SnapshotStore, RestartOptions?> choose)
    {
        TrackerFactory? trackers = null;
        RestoredState? restored = null;
        try
        {
            RestartOptions? restart = choose(store);
            bool asksForLazy = restart?.Fill == RestartFill.Lazy;
            string? whyEager = asksForLazy && options.SystemCallsMustWork
                ? TrackerFactory.WhyEager(MachineCapabilities.Current)
                : null;
            bool isLazy = asksForLazy && whyEager is null;
            trackers = new TrackerFactory(
                MachineCapabilities.Current, options.Tuning.Tracking, forFaults: isLazy,
                options.SystemCallsMustWork);
            restored = restart is null
                ? null
                : RestartRun.Execute(store, restart, isLazy ? trackers.Userfault : null);
            if (restored is not null) restored.Info.FillReason = whyEager;
        }
        catch
        {
            trackers?.Dispose();
            store.Dispose();
            throw;
        }

        return new SnapshotSession(store, options, trackers, restored);
    }

    private void ThrowIfDisposed() => ObjectDisposedException.ThrowIf(_closing.HasBegun, this);
}
