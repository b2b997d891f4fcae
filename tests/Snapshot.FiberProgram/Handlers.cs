namespace Snapshot.FiberProgram;

/// <summary>
/// Checkpoint handlers that are fibers: what they know before the capture they know after it.
/// </summary>
internal static class Handlers
{
    /// <summary>How often each was told Restarted in this process.</summary>
    private static readonly int[] s_told = new int[State.Handlers];

    internal static int Told(int handler) => Volatile.Read(ref s_told[handler]);

    /// <summary>Holds the log's lock from its prepare to its resume part.</summary>
    internal static async FiberTask Log(PendingCheckpoint checkpoint, ArenaPointer<State> s)
    {
        await s.Value.LogLock.EnterAsync();
        s.Value.Require(s.Value.InLog == 0, 50);
        long before = await Begin(s, 0);
        FiberOutcome outcome = await checkpoint;
        End(s, 0, before, outcome);
        s.Value.Require(s.Value.InLog == 0, 51);
        s.Value.Require(s.Value.LogLock.IsHeldByCurrent, 52);
        s.Value.LogLock.Exit();
    }

    /// <summary>Sees that nobody is where no checkpoint starts.</summary>
    internal static async FiberTask Audit(PendingCheckpoint checkpoint, ArenaPointer<State> s)
    {
        long before = await Begin(s, 1);
        s.Value.Require(Volatile.Read(ref s.Value.InCritical) == 0, 53);
        s.Value.Require(Volatile.Read(ref Nested.Held.Running) == 0, 54);
        await Fiber.Delay(TimeSpan.FromMilliseconds(0.2));
        long generation = checkpoint.Generation;
        FiberOutcome outcome = await checkpoint;
        s.Value.Require(outcome.Generation == generation && checkpoint.Generation == generation, 55);
        End(s, 1, before, outcome);
        await Fiber.Yield();
    }

    /// <summary>The same on a worker's thread.</summary>
    internal static async FiberTask Sync(PendingCheckpoint checkpoint, ArenaPointer<State> s)
    {
        long before = await Begin(s, 2);
        FiberOutcome outcome = await checkpoint;
        End(s, 2, before, outcome);
    }

    internal static bool AreDone(ref State s)
    {
        for (int handler = 0; handler < State.Handlers; handler++)
        {
            HandlerState h = s.HandlerStates[handler];
            if (h.Prepared != h.Continued + h.Restarted + h.Aborted) return false;
        }

        return true;
    }

    private static async FiberTask<long> Begin(ArenaPointer<State> s, int handler)
    {
        long before = ++s.Value.HandlerStates[handler].Prepared;
        await Fiber.Yield();
        return before;
    }

    private static void End(ArenaPointer<State> s, int handler, long before, FiberOutcome outcome)
    {
        ref HandlerState state = ref s.Value.HandlerStates[handler];
        s.Value.Require(state.Prepared == before, 56);
        switch (outcome.Kind)
        {
            case CheckpointOutcomeKind.Continued:
                state.Continued++;
                break;
            case CheckpointOutcomeKind.Restarted:
                state.Restarted++;
                s.Value.Require(Interlocked.Increment(ref s_told[handler]) == 1, 57);
                break;
            case CheckpointOutcomeKind.Aborted:
                state.Aborted++;
                break;
            default:
                s.Value.Require(false, 58);
                break;
        }
    }
}
