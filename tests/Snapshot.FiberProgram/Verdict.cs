using System.Diagnostics;
using System.Text;
using Snapshot.Threads.Fibers;

namespace Snapshot.FiberProgram;

/// <summary>Compares what came out with what should.</summary>
internal static class Verdict
{
    internal static int Print(SnapshotSession session, Arena arena, ref State state, bool? syncIsInImage)
    {
        long deadline = Stopwatch.GetTimestamp() + 10 * Stopwatch.Frequency;
        while (!Handlers.AreDone(ref state) && Stopwatch.GetTimestamp() < deadline) Thread.Sleep(1);
        List<string> faults = [];
        CheckResults(ref state, faults);
        CheckHandlers(session, ref state, syncIsInImage, faults);
        CheckLeaks(arena, faults);
        if (faults.Count == 0)
        {
            HandlerState log = state.HandlerStates[0];
            Console.WriteLine(
                $"ok: {state.Restarts} restarts, {log.Prepared} checkpoints, {state.Finallys} finally " +
                $"blocks, {GC.CollectionCount(2)} collections");
            return 0;
        }

        Console.WriteLine($"wrong: {string.Join("; ", faults)}");
        Console.WriteLine(Describe(arena, ref state));
        return 1;
    }

    /// <summary>Whether a worker has fibers that have not ended.</summary>
    internal static unsafe bool IsStarted(Arena arena, string name)
    {
        FiberSpaceHeader* header = arena.RootPointer<FiberSpaceHeader>(FiberSpace.RootName);
        for (WorkerRecord* worker = header->FirstWorker; worker != null; worker = worker->Next)
        {
            if (FiberSpace.NameOf(worker) == name) return worker->State == WorkerState.Started;
        }

        return false;
    }

    /// <summary>Where every fiber stands.</summary>
    internal static unsafe string Describe(Arena arena, ref State state)
    {
        StringBuilder text = new();
        text.Append($"steps {string.Join(' ', state.FiberStates.AsSpan().ToArray().Select(f => f.Step))}");
        text.Append($" mutex {state.Mutex.OwnerId} in {state.InMutex}, log {state.LogLock.OwnerId}");
        text.Append($" rw readers {state.ReaderWriter.ReaderCount} writer {state.ReaderWriter.WriterId}");
        text.Append($" semaphore {state.Semaphore.Count} barrier {state.Barrier.ArrivedCount}");
        text.Append($" at {state.Barrier.Phase} critical {state.InCritical}");
        FiberSpaceHeader* header = arena.RootPointer<FiberSpaceHeader>(FiberSpace.RootName);
        for (WorkerRecord* worker = header->FirstWorker; worker != null; worker = worker->Next)
        {
            text.Append($"\n{FiberSpace.NameOf(worker)}: {worker->State}, {worker->LiveFibers} fibers, ");
            text.Append($"{worker->Pool.LiveCells} blocks, {worker->Timers.Count} timers");
            for (FiberRecord* fiber = worker->FirstLive; fiber != null; fiber = fiber->NextLive)
            {
                text.Append($"\n  {fiber->Wait.OwnerId & ~FiberSpace.OwnerBit}: {fiber->Status}");
                text.Append($" for {(nint)fiber->WaitsFor:x} node {(nint)fiber->Wait.Word:x}");
                text.Append($" timer {fiber->Timer} critical {fiber->Section} granted {fiber->Wait.Granted}");
                for (FiberFrame* frame = fiber->Top; frame != null; frame = frame->Parent)
                {
                    string type = Encoding.UTF8.GetString(
                        header->Types[frame->Type].Text, header->Types[frame->Type].NameBytes);
                    text.Append($" < {type.Split(',')[0]}");
                }
            }
        }

        return text.ToString();
    }

    private static void CheckResults(ref State s, List<string> faults)
    {
        if (s.Faults != 0) faults.Add($"{s.Faults} claims did not hold, the first was {s.FirstFault}");
        long steps = s.Steps;
        long sum = 0, given = 0, sections = 0, inner = State.Fibers * steps;
        for (int fiber = 0; fiber < State.Fibers; fiber++)
        {
            bool gives = fiber / State.FibersPerWorker % 2 == 0;
            for (long step = 0; step < steps; step++)
            {
                long value = Plain.Value(fiber, step);
                sum += value;
                if (gives) given += value;
                if ((step + fiber) % 4 == 0) sections++;
            }

            if (s.Of(fiber).Result != Plain.Result(fiber, steps))
                faults.Add($"fiber {fiber} has another result");
            if (s.Of(fiber).Step != steps) faults.Add($"fiber {fiber} ended at step {s.Of(fiber).Step}");
            Equal($"joins of fiber {fiber}", gives ? 0 : (steps + 6) / 7, s.Of(fiber).Joined, faults);
        }

        Equal("sum", sum, s.Sum, faults);
        Equal("entries of the mutex", State.Fibers * steps, s.Entered, faults);
        Equal("sum through the channel", given, s.SharedSum, faults);
        Equal("writers", sections, s.Left, faults);
        Equal("finally blocks", State.Fibers * steps, s.Finallys, faults);
        Equal("inner finally blocks", inner, s.InnerFinallys, faults);
        Equal("barrier phases", Work.BarriersOf(steps), s.Barrier.Phase, faults);
        Equal("last ones at the barrier", Work.BarriersOf(steps), s.BarrierLasts, faults);
        Equal("semaphore", State.SemaphoreCount, s.Semaphore.Count, faults);
        bool isFree = !s.Mutex.IsHeld && !s.LogLock.IsHeld && s.ReaderWriter.ReaderCount == 0
            && s.ReaderWriter.WriterId == 0;
        if (!isFree) faults.Add("a lock is held");
    }

    private static void CheckHandlers(
        SnapshotSession session, ref State s, bool? syncIsInImage, List<string> faults)
    {
        if (!Handlers.AreDone(ref s)) faults.Add("a handler was prepared and not resumed");
        for (int handler = 0; handler < State.Handlers; handler++)
        {
            // A worker that was cancelled and had not come back yet has no handlers in the image.
            if (handler == 2 && syncIsInImage is null) continue;
            bool isTold = session.IsRestarted && (handler < 2 || syncIsInImage == true);
            Equal($"handler {handler} told Restarted here", isTold ? 1 : 0, Handlers.Told(handler), faults);
            if (handler == 2) continue;
            Equal(
                $"handler {handler} told Restarted", s.Restarts, s.HandlerStates[handler].Restarted, faults);
        }
    }

    private static unsafe void CheckLeaks(Arena arena, List<string> faults)
    {
        FiberSpaceHeader* header = arena.RootPointer<FiberSpaceHeader>(FiberSpace.RootName);
        for (WorkerRecord* worker = header->FirstWorker; worker != null; worker = worker->Next)
        {
            string name = FiberSpace.NameOf(worker);
            Equal($"fibers of {name}", 0, worker->LiveFibers, faults);
            Equal($"frames and groups of {name}", 0, worker->Pool.LiveCells, faults);
            if (name.StartsWith('w') && worker->State != WorkerState.Finished)
                faults.Add($"{name} is {worker->State}");
        }
    }

    private static void Equal(string what, long expected, long actual, List<string> faults)
    {
        if (expected != actual) faults.Add($"{what}: {actual} instead of {expected}");
    }
}
