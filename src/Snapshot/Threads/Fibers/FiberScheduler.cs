using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using Snapshot.Base;
using Snapshot.Memory.Locks;

namespace Snapshot.Threads.Fibers;

/// <summary>
/// Runs the fibers of one worker on one thread, and is what arena locks see as the owner meanwhile.
/// </summary>
/// <remarks>
/// <para>A trampoline. Resuming a fiber runs the state machine of its top frame in place. When that returns
/// (<see cref="FrameStatus.Done"/>, <see cref="FrameStatus.Faulted"/>) the parent's is run, and so on, until
/// one suspends or the outermost has returned. A suspending leaf says what the fiber waits for, and on the
/// way out of the nested calls each caller's await makes it the parent of what it called. So the depth of the
/// thread's stack does not grow with the fiber's, and a deep fiber is resumed at the price of one
/// frame.</para>
/// <para>Invariants. (1) Between two calls of <see cref="RunFiber"/> no fiber executes and every frame is
/// complete: here alone the thread polls, sleeps, and so is captured. (2) <see cref="_unowned"/> is the frame
/// that suspended last and is not awaited yet; it is null between two calls. So a call that is not awaited
/// where it was made is found.
/// (3) Only this thread writes records, frames and lists of its worker. Others reach it through the inbox and
/// the wait table alone. (4) An exception is on its way only while a parent is run at once: none is ever
/// captured.</para>
/// <para>All members are for the scheduler's thread.</para>
/// </remarks>
internal sealed unsafe class FiberScheduler : LockOwner, IDisposable
{
    /// <summary>Fibers run between two looks at what is not as urgent as a stop.</summary>
    private const int RunsBetweenLooks = 32;

    /// <summary>No frame: what <see cref="_unowned"/> is when the calls of the fiber do not nest.</summary>
    private static readonly FiberFrame* s_nobody = (FiberFrame*)1;

    [ThreadStatic]
    private static FiberScheduler? s_current;

    private readonly FiberSpace _space;
    private readonly IFiberHost _host;
    private readonly WorkerRecord* _worker;
    private readonly WorkerMemory _memory;
    private readonly int* _stopHint;
    private readonly int* _attentionHint;
    private readonly FiberWaits _waits;
    private FiberRecord* _running;
    private FiberFrame* _unowned;
    private bool _ownsName = true;
    private ExceptionDispatchInfo? _thrown;

    /// <summary>Why <see cref="_unowned"/> cannot become what it must be.</summary>
    private Exception? _broken;

    /// <param name="space">Where the fibers live.</param>
    /// <param name="name">The worker's name in the space.</param>
    /// <param name="host">Whom it works for.</param>
    /// <exception cref="SnapshotException">Name: it is being run already.</exception>
    internal FiberScheduler(FiberSpace space, string name, IFiberHost host)
    {
        _space = space;
        _host = host;
        _stopHint = host.StopHint;
        _attentionHint = host.AttentionHint;
        WorkerName = name;
        Number = space.NextRun();
        Critical = new FiberSections(host);
        _worker = space.Borrow(name);
        _memory = new WorkerMemory(space, _worker);
        Starter = new FiberStarter(_memory);
        _waits = new FiberWaits(_worker, space.Arena, host);
        host.Stopping = _waits.StopClock;
    }

    /// <summary>The scheduler of the calling thread.</summary>
    /// <exception cref="InvalidOperationException">The thread runs no fibers.</exception>
    internal static FiberScheduler OfThread
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => s_current ?? FiberMisuse.ThrowOutside();
    }

    /// <summary>The scheduler of the calling thread, or null when it runs no fibers.</summary>
    internal static FiberScheduler? OfThreadOrNull => s_current;

    internal string WorkerName { get; }

    /// <summary>Tells this run from others of the process.</summary>
    internal int Number { get; }

    internal FiberSpace Space => _space;

    internal WorkerMemory Memory => _memory;

    internal FiberStarter Starter { get; }

    internal FiberWaits Waits => _waits;

    internal FiberSections Critical { get; }

    /// <summary>The checkpoint that the fibers of a handler prepare for, while they do.</summary>
    internal IPendingCapture? PendingCapture { get; set; }

    /// <summary>What those are told who waited for the capture.</summary>
    internal FiberOutcome Outcome { get; private set; }

    /// <summary>The fiber that executes; null between two.</summary>
    internal FiberRecord* Running => _running;

    /// <summary>Whether a fiber executes.</summary>
    internal bool IsInFiber => _running != null;

    /// <summary>
    /// Why none can be taken while the fiber that runs waits for a checkpoint; null when one can.
    /// </summary>
    internal string? WhyNoCheckpoint => _host.HandlerPart
        ?? (_running != null && _running->Section != 0 ? "in a critical section" : null);

    internal WorkerState State => _worker->State;

    internal long LiveFibers => _worker->LiveFibers;

    /// <summary>Frames and groups that are in use.</summary>
    internal long LiveCells => _worker->Pool.LiveCells;

    /// <summary>
    /// Whether what executes need not suspend at a safepoint. True where no fiber does: what a fiber method
    /// does when it is called there must not depend on what is pending elsewhere.
    /// </summary>
    internal static bool MayGoOn => s_current is not { } scheduler || !scheduler.IsStopPending;

    /// <summary>Whether fibers are to suspend at a safepoint.</summary>
    internal bool IsStopPending
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => (Volatile.Read(ref *_stopHint) | Volatile.Read(ref *_attentionHint)) != 0;
    }

    internal override int OwnerId => _running != null ? _running->Wait.OwnerId : _host.OwnerId;

    internal override string OwnerName =>
        _running != null
            ? $"fiber {FiberSpace.FiberNumber(_running->Wait.OwnerId)} of '{WorkerName}'" : _host.Name;

    /// <summary>
    /// Which fiber executes, and the fiber method it was last resumed in. Any thread: what it reads may be of
    /// a moment ago, but is there, since records and the chunks of frames stay as long as the worker has
    /// fibers.
    /// </summary>
    internal string? DescribeRunning()
    {
        FiberRecord* fiber = _running;
        if (fiber == null) return null;
        FiberFrame* frame = fiber->Top;
        string method = frame == null ? "" : $", last resumed in {_space.Types.MethodOf(frame->Type)}";
        return $"in fiber {FiberSpace.FiberNumber(fiber->Wait.OwnerId)}{method}";
    }

    // ---- running
    // ---------------------------------------------------------------------------------------------------

    /// <summary>Runs fibers until all have ended.</summary>
    /// <exception cref="SnapshotException">FiberFailed, and what a safepoint of the host throws.</exception>
    /// <exception cref="OperationCanceledException">
    /// The fibers stand where they stood, for a later call.
    /// </exception>
    internal void RunToEnd(CancellationToken cancellation)
    {
        using CancellationTokenRegistration ring = cancellation.UnsafeRegister(
            static waits => ((FiberWaits)waits!).Ring(), _waits);
        Run(untilCheckpoint: null, cancellation);
        _worker->State = WorkerState.Finished;
        _memory.Release();
    }

    /// <summary>Runs fibers until one waits for the capture, or all have ended.</summary>
    internal void RunToCheckpoint(FiberRecord* fiber)
    {
        Run(fiber, CancellationToken.None);
        _waits.StopClock();
    }

    /// <summary>
    /// Runs the fibers of a handler to their end; one that waits for the capture is resumed first.
    /// </summary>
    internal void RunFromCheckpoint(FiberOutcome outcome)
    {
        Outcome = outcome;
        for (FiberRecord* fiber = _worker->FirstLive; fiber != null; fiber = fiber->NextLive)
        {
            if (fiber->Status == FiberStatus.AtCheckpoint) _worker->Ready.Add(fiber);
        }

        Run(untilCheckpoint: null, CancellationToken.None);
        _memory.Release();
    }

    /// <summary>
    /// Gives up all fibers where they stand: their code failed, and nobody may resume them.
    /// </summary>
    internal void Abandon()
    {
        _waits.LeaveWaitTable();
        _memory.Abandon();
    }

    /// <summary>
    /// No fiber is live: another scheduler may run fibers under the name, until it is claimed.
    /// </summary>
    internal void ReturnName()
    {
        if (_ownsName) _space.Return(WorkerName);
        _ownsName = false;
    }

    /// <exception cref="SnapshotException">Name: another one runs fibers under it.</exception>
    internal void ClaimName()
    {
        if (!_ownsName) _space.Borrow(WorkerName);
        _ownsName = true;
    }

    /// <exception cref="SnapshotException">FiberFailed: a fiber did in an earlier run.</exception>
    internal void ThrowIfFailed()
    {
        for (FiberRecord* fiber = _worker->FirstLive; fiber != null; fiber = fiber->NextLive)
        {
            if (fiber->Status != FiberStatus.Faulted) continue;
            throw new SnapshotException(
                SnapshotErrorCode.FiberFailed,
                $"The fibers of '{WorkerName}' cannot go on in this process, since one of them has failed. " +
                "Restart from the newest generation.");
        }
    }

    /// <summary>Makes this the scheduler of the thread until the scope is disposed.</summary>
    internal FiberTurn Enter()
    {
        FiberTurn turn = new(s_current, LockOwner.Current);
        Restore(this, this);
        return turn;
    }

    internal static void Restore(FiberScheduler? scheduler, LockOwner? owner)
    {
        s_current = scheduler;
        LockOwner.Current = owner;
    }

    public void Dispose()
    {
        _host.Stopping = null;
        _waits.StopClock();
        _waits.LeaveWaitTable();
        ReturnName();
        _waits.External.Dispose();
    }

    private void Run(FiberRecord* untilCheckpoint, CancellationToken cancellation)
    {
        int runs = 0;
        while (_worker->LiveFibers > 0)
        {
            if (IsStopPending) _host.Poll();
            if (runs-- == 0)
            {
                runs = RunsBetweenLooks;
                if (MayEnd) cancellation.ThrowIfCancellationRequested();
                _waits.TakeDue();
            }

            _waits.TakeWoken();
            FiberRecord* fiber = _worker->Ready.Take();
            if (fiber != null)
            {
                RunFiber(fiber);
                if (fiber == untilCheckpoint &&
                    fiber->Status is FiberStatus.AtCheckpoint or FiberStatus.Ended)
                    return;
            }
            else
            {
                runs = 0;
                _waits.Sleep(MayEnd, cancellation);
            }
        }
    }

    /// <summary>
    /// Whether the run may be given up: not while a checkpoint must not see the fibers as they are.
    /// </summary>
    private bool MayEnd => Critical.Inside == 0;

    private void RunFiber(FiberRecord* fiber)
    {
        nint[] code = _space.Types.Code;
        _running = fiber;
        fiber->Status = FiberStatus.Running;
        fiber->WaitsFor = null;
        FiberFrame* frame = fiber->Top;
        while (true)
        {
            if ((uint)frame->Type >= (uint)code.Length) code = _space.Types.Code;
            ((delegate*<FiberFrame*, void>)code[frame->Type])(frame);
            if (_unowned != (frame->Status == FrameStatus.Suspended ? frame : null))
                throw Fail(fiber, _broken ?? FiberMisuse.NotStructured(OwnerName, _thrown?.SourceException));
            if (frame->Status == FrameStatus.Suspended) break;
            FiberFrame* parent = frame->Parent;
            if (parent == null)
            {
                End(fiber, frame);
                break;
            }

            fiber->Top = parent;
            frame = parent;
        }

        _unowned = null;
        _running = null;
    }

    // ---- starting and ending
    // ---------------------------------------------------------------------------------------

    /// <summary>Makes a fiber of the first fiber method that <paramref name="body"/> calls.</summary>
    /// <returns>Null when it called none.</returns>
    internal FiberRecord* Start<TArgument>(
        TArgument argument, Func<TArgument, FiberTask> body, GroupRecord* group = null)
    {
        FiberFrame* frame = Starter.FrameOf(argument, body);
        if (frame == null) return null;
        FiberRecord* fiber = _memory.MakeRecord();
        fiber->Top = frame;
        fiber->Group = group;
        if (group != null) group->Live++;
        _worker->State = WorkerState.Started;
        _worker->Ready.Add(fiber);
        return fiber;
    }

    /// <summary>A fiber method that began on the stack waits: it gets a frame.</summary>
    internal FiberFrame* Promote<[DynamicallyAccessedMembers(FrameLayout.Members)] TStateMachine>(
        ref FiberFrame* slot, ref TStateMachine stateMachine, int resultBytes)
        where TStateMachine : IAsyncStateMachine
    {
        if (_running == null) FiberMisuse.ThrowOutside();
        try
        {
            return _memory.MakeFrame(ref slot, ref stateMachine, resultBytes);
        }
        catch (Exception error) when (_unowned != null)
        {
            throw Break(error); // What it called waits already, and has nobody to resume.
        }
    }

    /// <summary>
    /// A parent takes the outcome of what it called: frees the frame, throws what that threw.
    /// </summary>
    internal void Finish(FiberFrame* child)
    {
        FrameStatus status = child->Status;
        if (status is not (FrameStatus.Done or FrameStatus.Faulted))
            throw Break(FiberMisuse.ResultTakenTwice());
        _memory.Free(child);
        if (status != FrameStatus.Faulted) return;
        ExceptionDispatchInfo thrown = _thrown!;
        _thrown = null;
        thrown.Throw();
    }

    /// <summary>A fiber method throws: at once to its caller, or through its frame to the parent.</summary>
    internal static void Throw(FiberFrame* frame, Exception exception)
    {
        if (frame == null) ExceptionDispatchInfo.Throw(exception);
        frame->Status = FrameStatus.Faulted;
        OfThread._thrown = ExceptionDispatchInfo.Capture(exception);
    }

    private void End(FiberRecord* fiber, FiberFrame* outermost)
    {
        bool isFaulted = outermost->Status == FrameStatus.Faulted;
        _memory.Free(outermost);
        fiber->Top = null;
        if (isFaulted) throw Fail(fiber, _thrown!.SourceException);
        Critical.Leave(fiber);
        _waits.Forget(fiber);
        fiber->Status = FiberStatus.Ended;
        if (fiber->Group != null) GroupRecord.End(fiber->Group);
        Interlocked.Increment(ref fiber->Serial);
        LockWord.Wake(ref fiber->Serial, LockWord.All);
        _memory.Free(fiber);
    }

    /// <summary>The fiber cannot go on, and so the worker cannot.</summary>
    private SnapshotException Fail(FiberRecord* fiber, Exception cause)
    {
        string who = OwnerName;
        _waits.Forget(fiber);
        fiber->Status = FiberStatus.Faulted;
        _unowned = null;
        _running = null;
        _thrown = null;
        _broken = null;
        return new SnapshotException(
            SnapshotErrorCode.FiberFailed, $"{who} failed: {cause.GetType().Name}: {cause.Message}", cause);
    }

    // ---- suspending
    // ------------------------------------------------------------------------------------------------

    /// <summary>The caller awaits what it called: it becomes its parent.</summary>
    internal void SuspendForChild(FiberFrame* frame, FiberFrame* child)
    {
        if (child != _unowned) throw Break(FiberMisuse.NotStructured(OwnerName));
        child->Parent = frame;
        _unowned = frame;
    }

    /// <summary>The fiber goes on as soon as the thread has taken part in what is pending.</summary>
    internal void SuspendAtSafepoint(FiberFrame* frame) => _worker->Ready.AddFirst(Suspend(frame));

    /// <summary>The fiber goes on after all others that can.</summary>
    internal void SuspendToYield(FiberFrame* frame) => _worker->Ready.Add(Suspend(frame));

    /// <summary>The handler's fiber goes on when its resume part is called.</summary>
    internal void SuspendAtCheckpoint(FiberFrame* frame) => Suspend(frame)->Status = FiberStatus.AtCheckpoint;

    /// <summary>
    /// The fiber goes on when it is posted by <see cref="ExternalWaits"/>, or after a restart.
    /// </summary>
    internal FiberRecord* SuspendForExternal(FiberFrame* frame)
    {
        FiberRecord* fiber = Suspend(frame);
        fiber->Status = FiberStatus.Waiting;
        return fiber;
    }

    /// <summary>The fiber waits while the word has a value (null: for the time alone).</summary>
    /// <param name="frame">Its top frame.</param>
    /// <param name="word">In an arena.</param>
    /// <param name="expected">The value.</param>
    /// <param name="craving">Not None when it was passed over before.</param>
    /// <param name="deadline">In fiber time; negative: none.</param>
    internal void SuspendForWord(FiberFrame* frame, uint* word, uint expected, Craving craving, long deadline)
    {
        if (deadline >= 0) _waits.SetTimer(_running, deadline);
        _waits.Park(Suspend(frame), word, expected, craving);
    }

    internal override bool Wait(uint* word, uint expected, long timeoutNanoseconds)
    {
        if (_running == null) return _host.Wait(word, expected, timeoutNanoseconds);
        throw FiberMisuse.Blocks(OwnerName);
    }

    private FiberRecord* Suspend(FiberFrame* frame)
    {
        if (_unowned != null) throw Break(FiberMisuse.NotStructured(OwnerName));
        if (_running == null) FiberMisuse.ThrowOutside();
        _unowned = frame;
        _running->Top = frame;
        return _running;
    }

    /// <summary>
    /// The calls of the fiber do not nest: from here on every await throws, and when its code returns it has
    /// failed.
    /// </summary>
    private Exception Break(Exception cause)
    {
        if (_running == null) return cause;
        _broken ??= cause;
        _unowned = s_nobody;
        return cause;
    }
}
