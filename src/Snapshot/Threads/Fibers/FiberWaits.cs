using Snapshot.Memory.Locks;

namespace Snapshot.Threads.Fibers;

/// <summary>How the fibers of one worker wait, and how they become ready again.</summary>
/// <remarks>
/// All members are for the worker's thread, but for <see cref="Ring"/>. What is waited for is told to the
/// wait table and to the timers; both are left before a fiber is ready again.
/// </remarks>
internal sealed unsafe class FiberWaits
{
    private readonly WorkerRecord* _worker;
    private readonly Arena _arena;
    private readonly IFiberHost _host;

    /// <summary>Never freed: whoever was about to wake a fiber may come late.</summary>
    private readonly WaitInbox* _inbox = WaitInbox.Create();
    private readonly long _clockBase;

    /// <summary>After a restart, or a run that was cancelled: whoever waited looks again.</summary>
    internal FiberWaits(WorkerRecord* worker, Arena arena, IFiberHost host)
    {
        _worker = worker;
        _arena = arena;
        _host = host;
        _clockBase = host.Clock - worker->Clock;
        External = new ExternalWaits(this);
        for (FiberRecord* fiber = worker->FirstLive; fiber != null; fiber = fiber->NextLive)
        {
            if (fiber->Status != FiberStatus.Waiting) continue;
            fiber->Wait.Word = null;
            MakeReady(fiber, isTimedOut: false);
        }
    }

    internal ExternalWaits External { get; }

    /// <summary>
    /// Nanoseconds since the worker first started, without the time between a capture and a restart.
    /// </summary>
    internal long Now => _host.Clock - _clockBase;

    /// <summary>The time is kept for a new process to go on from.</summary>
    internal void StopClock() => _worker->Clock = Now;

    /// <summary>Makes the thread look for what it may have missed, if it sleeps. Any thread.</summary>
    internal void Ring() => WaitInbox.Ring(_inbox);

    /// <summary>Makes those ready who were woken.</summary>
    internal void TakeWoken()
    {
        for (WaitNode* node = WaitInbox.TakeAll(_inbox); node != null;)
        {
            WaitNode* next = node->Next;
            MakeReady((FiberRecord*)node, isTimedOut: false);
            node = next;
        }
    }

    /// <summary>Makes those ready whose time has passed, or whose task has ended.</summary>
    internal void TakeDue()
    {
        External.TakeCompleted();
        if (_worker->Timers.Count == 0) return;
        long now = Now;
        while (_worker->Timers.Count > 0 && _worker->Timers.Earliest <= now)
        {
            FiberRecord* fiber = _worker->Timers.First;

            // One that was woken just before is in the inbox, or on the way there.
            bool isWoken = fiber->WaitsFor != null && !WaitTable.TryRemove(&fiber->Wait, fiber->WaitsFor);
            if (isWoken) _worker->Timers.Remove(fiber);
            else MakeReady(fiber, isTimedOut: true);
        }
    }

    /// <summary>Nothing is ready: sleeps until something may be, or the host has to do something.</summary>
    /// <param name="mayEnd">Whether it ends when it is cancelled.</param>
    /// <param name="cancellation">Rings.</param>
    internal void Sleep(bool mayEnd, CancellationToken cancellation)
    {
        uint signal = WaitInbox.AnnounceSleep(_inbox);
        bool ends = mayEnd && cancellation.IsCancellationRequested;
        if (WaitInbox.IsEmpty(_inbox) && External.IsEmpty && !ends)
        {
            long timeout = _worker->Timers.Count > 0 ? Math.Max(0, _worker->Timers.Earliest - Now) : -1;
            _host.Wait(WaitInbox.SignalOf(_inbox), signal, timeout);
        }

        WaitInbox.Awake(_inbox);
    }

    /// <summary>The fiber's next wait ends at that time at the latest.</summary>
    /// <exception cref="SnapshotException">ArenaFull; nothing was changed.</exception>
    internal void SetTimer(FiberRecord* fiber, long deadline) => _worker->Timers.Add(_arena, fiber, deadline);

    /// <summary>A suspended fiber waits while the word has a value (null: for its timer alone).</summary>
    internal void Park(FiberRecord* fiber, uint* word, uint expected, Craving craving)
    {
        fiber->Status = FiberStatus.Waiting;
        fiber->IsTimedOut = 0;
        fiber->Wait.Inbox = _inbox;
        fiber->Wait.Craving = craving;
        fiber->WaitsFor = word;
        if (word != null && !WaitTable.TryPark(&fiber->Wait, word, expected))
            MakeReady(fiber, isTimedOut: false);
    }

    /// <summary>
    /// A fiber that an external wait has ended for; ignored when it is another one meanwhile.
    /// </summary>
    internal void EndExternal(FiberRecord* fiber, uint serial)
    {
        if (fiber->Serial == serial && fiber->Status == FiberStatus.Waiting)
            MakeReady(fiber, isTimedOut: false);
    }

    /// <summary>The fiber has ended, or never goes on: nothing may wake it.</summary>
    internal void Forget(FiberRecord* fiber)
    {
        if (fiber->Timer != 0) _worker->Timers.Remove(fiber);
        LeaveWaitTable(fiber);
    }

    /// <summary>Fibers that are still there wait for another run, or another process.</summary>
    internal void LeaveWaitTable()
    {
        for (FiberRecord* fiber = _worker->FirstLive; fiber != null; fiber = fiber->NextLive)
            LeaveWaitTable(fiber);

        // Who was woken and has not looked yet may never look: the wake is for another.
        for (FiberRecord* fiber = _worker->FirstLive; fiber != null; fiber = fiber->NextLive)
        {
            if (fiber->Status == FiberStatus.Ready && fiber->WaitsFor != null)
                LockWord.Wake(ref *fiber->WaitsFor, 1);
        }
    }

    private void LeaveWaitTable(FiberRecord* fiber)
    {
        if (fiber->Status != FiberStatus.Waiting || fiber->WaitsFor == null) return;
        if (WaitTable.TryRemove(&fiber->Wait, fiber->WaitsFor)) return;

        // It was woken. Its waker may not have sent it yet, and writes it until then.
        SpinWait spin = default;
        for (TakeWoken(); fiber->Status == FiberStatus.Waiting; TakeWoken())
            spin.SpinOnce(sleep1Threshold: -1);
    }

    private void MakeReady(FiberRecord* fiber, bool isTimedOut)
    {
        if (fiber->Timer != 0) _worker->Timers.Remove(fiber);
        fiber->IsTimedOut = isTimedOut ? (byte)1 : (byte)0;
        _worker->Ready.Add(fiber);
    }
}
