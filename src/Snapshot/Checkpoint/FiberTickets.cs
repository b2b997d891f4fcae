using Snapshot.Threads.Fibers;

namespace Snapshot.Fibers;

/// <summary>How a fiber waits for a checkpoint that was asked for.</summary>
public static class FiberTickets
{
    /// <summary>
    /// Awaits <see cref="CheckpointTicket.Committed"/> in a fiber, which is captured waiting, and told
    /// Restarted in a new process.
    /// </summary>
    /// <returns>Continued or Restarted.</returns>
    /// <exception cref="SnapshotException">
    /// What ended the checkpoint; SelfDeadlock inside a handler or a critical section.
    /// </exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static FiberTask<FiberOutcome> WaitCommittedInFiber(this CheckpointTicket ticket)
    {
        ArgumentNullException.ThrowIfNull(ticket);
        ticket.ThrowIfWaitingWouldDeadlock();
        return WhenEnded(new ExternalWait(ticket.Committed));
    }

    private static async FiberTask<FiberOutcome> WhenEnded(ExternalWait wait)
    {
        while (!wait.IsCompleted) await wait;
        return wait.Take() switch
        {
            null => new FiberOutcome(CheckpointOutcomeKind.Restarted, ExternalWait.RestartedGeneration),
            Task<SnapshotInfo> committed => new FiberOutcome(
                CheckpointOutcomeKind.Continued, committed.GetAwaiter().GetResult().Generation),
            Task other =>
                throw new InvalidOperationException($"A ticket has no task of type {other.GetType()}."),
        };
    }
}
