using Snapshot.Threads.Fibers;

namespace Snapshot.Coordination;

/// <summary>A participant that runs fibers.</summary>
internal static class FiberWorker
{
    /// <summary>
    /// Runs the fibers that the image has under the participant's name, or those that
    /// <paramref name="start"/> starts when it has none, to their end.
    /// </summary>
    internal static void Run(
        Participant participant, FiberSpace space, Action start, CancellationToken cancellation)
    {
        participant.Kind = ParticipantKind.Fibers;
        using FiberScheduler scheduler = new(space, participant.Name, new ParticipantHost(participant));
        if (scheduler.State == WorkerState.Finished) return;
        scheduler.ThrowIfFailed();
        participant.Doing = scheduler.DescribeRunning;
        using FiberTurn turn = scheduler.Enter();
        try
        {
            if (scheduler.State == WorkerState.New) start();
            scheduler.RunToEnd(cancellation);
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            participant.Rendezvous.RefuseCheckpoints(error);
            throw;
        }
    }

    /// <summary>The participant as its scheduler sees it.</summary>
    private sealed unsafe class ParticipantHost(Participant participant) : IFiberHost
    {
        public int OwnerId => participant.Id;

        public string Name => $"participant '{participant.Name}'";

        public string? HandlerPart => participant.Part.Describe();

        public int* StopHint => participant.StopHint;

        public int* AttentionHint => participant.AttentionHint;

        public Action? Stopping
        {
            set => participant.Stopping = value;
        }

        public void Poll() => participant.Poll();

        public bool Wait(uint* word, uint expected, long timeoutNanoseconds) =>
            participant.Wait(word, expected, timeoutNanoseconds);

        // A fiber executes: it is no safepoint, and a pending checkpoint is taken when every fiber is
        // suspended.
        public bool TryEnterCritical() => participant.TryEnterCritical();

        public void ExitCritical() => participant.LeaveCritical();
    }
}
