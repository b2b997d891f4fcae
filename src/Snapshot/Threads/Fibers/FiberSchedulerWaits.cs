using Snapshot.Base;
using Snapshot.Memory.Locks;

namespace Snapshot.Threads.Fibers;

/// <content>How fibers wait, and how they become ready again.</content>
internal sealed unsafe partial class FiberScheduler
{
    // ---- becoming ready --------------------------------------------------------------------------------------------

    private void TakeWoken()
    {
        for (WaitNode* node = WaitInbox.TakeAll(_inbox); node != null;)
        {
            WaitNode* next = node->Next;
            MakeReady((FiberRecord*)node, isTimedOut: false);
            node = next;
        }
    }

    private void FireTimers()
    {
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

    /// <summary>Nothing is ready: sleeps until something is, or the host has to do something.</summary>
    private void Sleep(CancellationToken cancellation)
    {
        uint signal = WaitInbox.AnnounceSleep(_inbox);
        if (WaitInbox.IsEmpty(_inbox) && External.IsEmpty && !(cancellation.IsCancellationRequested && MayEnd))
        {
            long timeout = _worker->Timers.Count > 0 ? Math.Max(0, _worker->Timers.Earliest - Now) : -1;
            _host.Wait(WaitInbox.SignalOf(_inbox), signal, timeout);
        }

        WaitInbox.Awake(_inbox);
    }

    private void MakeReady(FiberRecord* fiber, bool isTimedOut)
    {
        if (fiber->Timer != 0) _worker->Timers.Remove(fiber);
        fiber->IsTimedOut = isTimedOut ? (byte)1 : (byte)0;
        _worker->Ready.Add(fiber);
    }

    /// <summary>After a restart, or a run that was cancelled: who waited looks again.</summary>
    private void ResumeRecorded()
    {
        for (FiberRecord* fiber = _worker->FirstLive; fiber != null; fiber = fiber->NextLive)
        {
            if (fiber->Status != FiberStatus.Waiting) continue;
            fiber->Wait.Word = null;
            MakeReady(fiber, isTimedOut: false);
        }
    }

    /// <summary>Fibers that are still there wait for another run, or another process.</summary>
    private void LeaveWaitTable()
    {
        for (FiberRecord* fiber = _worker->FirstLive; fiber != null; fiber = fiber->NextLive)
        {
            if (fiber->Status != FiberStatus.Waiting || fiber->WaitsFor == null) continue;
            if (WaitTable.TryRemove(&fiber->Wait, fiber->WaitsFor)) continue;

            // It was woken. Its waker may not have sent it yet, and writes it until then.
            SpinWait spin = default;
            for (TakeWoken(); fiber->Status == FiberStatus.Waiting; TakeWoken()) spin.SpinOnce(sleep1Threshold: -1);
        }

        // Who was woken and has not looked yet may never look: the wake is for another.
        for (FiberRecord* fiber = _worker->FirstLive; fiber != null; fiber = fiber->NextLive)
        {
            if (fiber->Status == FiberStatus.Ready && fiber->WaitsFor != null) LockWord.Wake(ref *fiber->WaitsFor, 1);
        }
    }

    // ---- suspending ------------------------------------------------------------------------------------------------

    /// <summary>The caller awaits what it called: it becomes its parent.</summary>
    internal void SuspendForChild(FiberFrame* frame, FiberFrame* child)
    {
        if (child != _unowned) throw FiberMisuse.NotStructured(OwnerName);
        child->Parent = frame;
        _unowned = frame;
    }

    /// <summary>The fiber goes on as soon as the thread has taken part in what is pending.</summary>
    internal void SuspendAtSafepoint(FiberFrame* frame) => _worker->Ready.AddFirst(Suspend(frame));

    /// <summary>The fiber goes on after all others that can.</summary>
    internal void SuspendToYield(FiberFrame* frame) => _worker->Ready.Add(Suspend(frame));

    /// <summary>The handler's fiber goes on when its resume part is called.</summary>
    internal void SuspendAtCheckpoint(FiberFrame* frame) => Suspend(frame)->Status = FiberStatus.AtCheckpoint;

    /// <summary>The fiber goes on when it is posted by <see cref="ExternalWaits"/>, or after a restart.</summary>
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
        if (deadline >= 0) _worker->Timers.Add(_space.Arena, _running, deadline);
        FiberRecord* fiber = Suspend(frame);
        fiber->Status = FiberStatus.Waiting;
        fiber->IsTimedOut = 0;
        fiber->Wait.Inbox = _inbox;
        fiber->Wait.Craving = craving;
        fiber->WaitsFor = word;
        if (word != null && !WaitTable.TryPark(&fiber->Wait, word, expected)) MakeReady(fiber, isTimedOut: false);
    }

    /// <summary>A fiber that an external wait has ended for; ignored when it is another one meanwhile.</summary>
    internal void EndExternal(FiberRecord* fiber, uint serial)
    {
        if (fiber->Serial == serial && fiber->Status == FiberStatus.Waiting) MakeReady(fiber, isTimedOut: false);
    }

    /// <summary>Makes the thread look at its external waits. Any thread.</summary>
    internal void PostExternal() => WaitInbox.Ring(_inbox);

    internal override bool Wait(uint* word, uint expected, long timeoutNanoseconds)
    {
        if (_running == null) return _host.Wait(word, expected, timeoutNanoseconds);
        throw FiberMisuse.Blocks(OwnerName);
    }

    private FiberRecord* Suspend(FiberFrame* frame)
    {
        if (_unowned != null) throw FiberMisuse.NotStructured(OwnerName);
        if (_running == null) FiberMisuse.ThrowOutside();
        _unowned = frame;
        _running->Top = frame;
        return _running;
    }
}
