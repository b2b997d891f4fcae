using Snapshot.Threads.Fibers;

namespace Snapshot.Fibers;

/// <summary>Fibers that are started together and waited for together, all or the next.</summary>
/// <remarks>
/// Unmanaged; a local of the fiber that opened it, or given to others of the same worker, who may start
/// fibers in it and wait for it too. It is not an error to dispose of a group that nothing was started in.
/// </remarks>
public readonly struct FiberGroup : IDisposable
{
    private readonly unsafe GroupRecord* _record;

    internal unsafe FiberGroup(GroupRecord* record) => _record = record;

    /// <summary>How many of its fibers have not ended.</summary>
    public unsafe int LiveCount => (int)_record->Live;

    /// <summary>Starts a fiber in the group.</summary>
    /// <inheritdoc cref="Fiber.Start{TArgument}"/>
    public unsafe FiberHandle Start<TArgument>(TArgument argument, Func<TArgument, FiberTask> body)
    {
        ArgumentNullException.ThrowIfNull(body);
        return new FiberHandle(FiberScheduler.OfThread.Start(argument, body, _record));
    }

    /// <summary>Waits until all have ended, those included that are started meanwhile.</summary>
    public FiberTask WhenAll() => LiveCount == 0 ? FiberTask.Completed : WaitForAll(this);

    /// <summary>
    /// Waits until one more fiber has ended, of those that no earlier call has told.
    /// </summary>
    /// <returns>False when all have ended and all ends were told.</returns>
    /// <exception cref="InvalidOperationException">The thread runs no fibers.</exception>
    public FiberTask<bool> WhenAny()
    {
        _ = FiberScheduler.OfThread;
        return WaitForAny(this);
    }

    /// <summary>Gives up the group. On a thread that runs no fibers it does nothing.</summary>
    /// <exception cref="InvalidOperationException">Some of its fibers have not ended.</exception>
    public unsafe void Dispose()
    {
        if (FiberScheduler.OfThreadOrNull is not { } scheduler) return;
        if (_record->Live != 0)
        {
            throw new InvalidOperationException(
                $"A group was disposed of while {_record->Live} of its fibers live; await WhenAll first.");
        }

        scheduler.Memory.Free(_record);
    }

    private static async FiberTask WaitForAll(FiberGroup group)
    {
        while (group.LiveCount is not 0 and int live) await group.WhileLive((uint)live);
    }

    private static async FiberTask<bool> WaitForAny(FiberGroup group)
    {
        while (!group.TakeEnd(out uint ended))
        {
            if (group.LiveCount == 0) return false;
            await group.WhileEnded(ended);
        }

        return true;
    }

    /// <summary>Whether one has ended that nobody was told of.</summary>
    private unsafe bool TakeEnd(out uint ended)
    {
        ended = _record->Ended;
        if (ended == _record->Taken) return false;
        _record->Taken++;
        return true;
    }

    private unsafe WordWait WhileLive(uint live) => WordWait.While(ref _record->Live, live);

    private unsafe WordWait WhileEnded(uint ended) => WordWait.While(ref _record->Ended, ended);
}
