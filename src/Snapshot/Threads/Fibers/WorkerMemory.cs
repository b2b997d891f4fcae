using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Snapshot.Memory.Locks;

namespace Snapshot.Threads.Fibers;

/// <summary>
/// The records, frames and groups of one worker: made, freed, and listed. Only the worker's thread.
/// </summary>
internal readonly unsafe struct WorkerMemory(FiberSpace space, WorkerRecord* worker)
{
    /// <summary>Moves a state machine from the stack into a frame.</summary>
    /// <param name="slot">The builder's own word in the state machine: set first, so that the copy knows its
    /// frame.</param>
    /// <param name="stateMachine">The state machine.</param>
    /// <param name="resultBytes">Room for its result.</param>
    internal FiberFrame* MakeFrame<[DynamicallyAccessedMembers(FrameLayout.Members)] TStateMachine>(
        ref FiberFrame* slot, ref TStateMachine stateMachine, int resultBytes)
        where TStateMachine : IAsyncStateMachine
    {
        if (resultBytes > FiberFrame.ResultBytesMax) throw FiberMisuse.ResultTooLarge(resultBytes);
        int type = space.Types.IndexOf<TStateMachine>();
        int payload = FiberFrame.PayloadOffsetFor(resultBytes);
        FiberFrame* frame = (FiberFrame*)worker->Pool.Take(
            space.Arena, payload + Unsafe.SizeOf<TStateMachine>(), out byte sizeClass);
        frame->Parent = null;
        frame->Type = type;
        frame->Status = FrameStatus.Suspended;
        frame->SizeClass = sizeClass;
        frame->PayloadWords = (ushort)(payload / 8);
        slot = frame;
        Unsafe.WriteUnaligned(FiberFrame.PayloadOf(frame), stateMachine);
        return frame;
    }

    internal void Free(FiberFrame* frame)
    {
        frame->Status = FrameStatus.Free;
        worker->Pool.Give(space.Arena, frame, frame->SizeClass);
    }

    internal GroupRecord* MakeGroup()
    {
        GroupRecord* group =
            (GroupRecord*)worker->Pool.Take(space.Arena, sizeof(GroupRecord), out byte sizeClass);
        *group = new GroupRecord { SizeClass = sizeClass };
        return group;
    }

    internal void Free(GroupRecord* group) => worker->Pool.Give(space.Arena, group, group->SizeClass);

    /// <summary>A record in the list of the live, zeroed but for its owner id and serial.</summary>
    internal FiberRecord* MakeRecord()
    {
        if (worker->FirstUnused == null) worker->FirstUnused = space.TakeRecords();
        FiberRecord* fiber = worker->FirstUnused;
        worker->FirstUnused = fiber->NextLive;
        (int owner, uint serial) = (fiber->Wait.OwnerId, fiber->Serial);
        *fiber = default;
        fiber->Wait.OwnerId = owner;
        fiber->Serial = serial;
        fiber->NextLive = worker->FirstLive;
        if (worker->FirstLive != null) worker->FirstLive->PreviousLive = fiber;
        worker->FirstLive = fiber;
        worker->LiveFibers++;
        return fiber;
    }

    internal void Free(FiberRecord* fiber)
    {
        if (fiber->PreviousLive == null) worker->FirstLive = fiber->NextLive;
        else fiber->PreviousLive->NextLive = fiber->NextLive;
        if (fiber->NextLive != null) fiber->NextLive->PreviousLive = fiber->PreviousLive;
        worker->LiveFibers--;
        fiber->NextLive = worker->FirstUnused;
        worker->FirstUnused = fiber;
    }

    /// <summary>No fiber is live: gives everything back that is not a group somebody still has.</summary>
    internal void Release()
    {
        space.GiveRecords(worker->FirstUnused);
        worker->FirstUnused = null;
        worker->Timers.Release(space.Arena);
        if (worker->Pool.LiveCells == 0) worker->Pool.Release(space.Arena);
    }

    /// <summary>
    /// Ends all fibers where they stand. Frames beyond the pool's largest size stay allocated.
    /// </summary>
    internal void Abandon()
    {
        while (worker->FirstLive != null)
        {
            FiberRecord* fiber = worker->FirstLive;
            Interlocked.Increment(ref fiber->Serial);
            LockWord.Wake(ref fiber->Serial, LockWord.All);
            Free(fiber);
        }

        worker->Ready = default;
        worker->Pool.LiveCells = 0;
        Release();
    }
}
