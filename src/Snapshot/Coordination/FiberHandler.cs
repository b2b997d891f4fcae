using System.Runtime.ExceptionServices;
using Snapshot.Base;
using Snapshot.Threads.Fibers;

namespace Snapshot.Coordination;

/// <summary>
/// A handler that is one fiber method: its prepare part runs a new fiber until that awaits the checkpoint,
/// its resume part runs it from there to its end, also in a process that found the fiber in the image.
/// </summary>
/// <param name="space">Where its fibers live; asked for when the first part runs.</param>
/// <param name="argument">Given to each fiber.</param>
/// <param name="body">The method.</param>
/// <param name="committed">Called when a generation is durable, or null.</param>
internal sealed class FiberHandler<TArgument>(
    Func<FiberSpace> space,
    TArgument argument,
    Func<PendingCheckpoint, TArgument, FiberTask> body,
    Action<long>? committed) : ICheckpointHandler, INamedHandler
    where TArgument : unmanaged
{
    private FiberHandlerHost? _host;
    private FiberScheduler? _scheduler;
    private string? _name;

    public void Name(string name)
    {
        if (_name is not null && _name != name)
        {
            throw new InvalidOperationException(
                $"A fiber handler is registered under one name; this one is {_name}, and cannot be {name}.");
        }

        _name = name;
    }

    public void Prepare(PrepareContext context) => Run(scheduler =>
    {
        // What an image has of a handler that it does not name: its participant was left out. Nobody will
        // resume it.
        if (scheduler.LiveFibers > 0) scheduler.Abandon();
        scheduler.PendingCapture = new PendingCapture(context);
        try
        {
            RunToCheckpoint(scheduler, new PendingCheckpoint(context.Generation));
        }
        finally
        {
            scheduler.PendingCapture = null;
        }
    });

    public void Resume(CheckpointOutcome outcome)
    {
        try
        {
            Run(scheduler =>
                scheduler.RunFromCheckpoint(
                    new FiberOutcome(outcome.Kind, outcome.Generation, outcome.AbortCode)));
        }
        finally
        {
            // For the handler that is registered in place of this one when its participant leaves and comes
            // back.
            _scheduler?.ReturnName();
        }
    }

    public void Committed(long generation) => committed?.Invoke(generation);

    private unsafe void RunToCheckpoint(FiberScheduler scheduler, PendingCheckpoint checkpoint)
    {
        FiberRecord* fiber = scheduler.Start(checkpoint, pending => body(pending, argument));
        if (fiber != null) scheduler.RunToCheckpoint(fiber);
    }

    /// <summary>What the fiber throws is what the part throws; its fibers are given up then.</summary>
    private void Run(Action<FiberScheduler> part)
    {
        _host ??= new FiberHandlerHost(_name!);
        _host.Owner = LockOwner.Current!;
        FiberScheduler scheduler = _scheduler ??= new FiberScheduler(space(), _name!, _host);
        scheduler.ClaimName();
        using FiberTurn turn = scheduler.Enter();
        try
        {
            part(scheduler);
        }
        catch (Exception error)
        {
            scheduler.Abandon();
            if (error is SnapshotException { Code: SnapshotErrorCode.FiberFailed, InnerException: { } cause })
                ExceptionDispatchInfo.Throw(cause);
            throw;
        }
    }

    private sealed class PendingCapture(PrepareContext context) : IPendingCapture
    {
        public long Generation => context.Generation;

        public void Abort(int code, string? reason) => context.Abort(code, reason);

        public void Omit() => context.Omit();
    }
}
