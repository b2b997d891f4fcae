using Snapshot.Threads.Fibers;

namespace Snapshot.Fibers;

/// <summary>A fiber that was started: ask whether it has ended, or await its end.</summary>
/// <remarks>
/// Unmanaged, so it may be kept in an arena or across an await. Any fiber of the session may await it, any
/// number of times, at any time.
/// </remarks>
public readonly struct FiberHandle
{
    private readonly unsafe FiberRecord* _record;
    private readonly uint _serial;

    internal unsafe FiberHandle(FiberRecord* record)
    {
        _record = record;
        _serial = record != null ? record->Serial : 0;
    }

    /// <summary>Whether it has ended; true for the default value.</summary>
    public unsafe bool HasEnded => _record == null || Volatile.Read(ref _record->Serial) != _serial;

    /// <summary>A number that tells it from all others that live in its arena.</summary>
    public unsafe int Id => _record == null ? 0 : FiberSpace.FiberNumber(_record->Wait.OwnerId);

    /// <summary>For the compiler: <c>await handle</c> waits until it has ended.</summary>
    public FiberTask.Awaiter GetAwaiter() => (HasEnded ? FiberTask.Completed : Join(this)).GetAwaiter();

    private static async FiberTask Join(FiberHandle fiber)
    {
        while (!fiber.HasEnded) await fiber.WhileLive();
    }

    private unsafe WordWait WhileLive() => WordWait.While(ref _record->Serial, _serial);
}
