using Snapshot.Base;

namespace Snapshot.Coordination;

/// <summary>Calls the parts of one list of handlers, in order, on the calling thread.</summary>
internal static class HandlerRun
{
    /// <summary>
    /// Prepare parts, last registered first, until all ran, the attempt is doomed, or the participant is
    /// omitted.
    /// </summary>
    /// <param name="handlers">The list, first registered first.</param>
    /// <param name="attempt">The attempt.</param>
    /// <param name="part">Shows what runs.</param>
    /// <param name="isSync">Whether they belong to a participant.</param>
    /// <param name="isOmitted">Whether one of them omitted its participant.</param>
    /// <returns>Index of the first handler whose prepare part was called; the length when none was.</returns>
    internal static int Prepare(
        HandlerEntry[] handlers, OpenAttempt attempt, HandlerPart part, bool isSync, out bool isOmitted)
    {
        int first = handlers.Length;
        isOmitted = false;
        while (first > 0 && !attempt.IsDoomed && !isOmitted)
        {
            HandlerEntry entry = handlers[--first];
            PrepareContext context = new(attempt, entry.Name, isSync);
            Exception? thrown = Call(entry, part, "prepare", handler => handler.Prepare(context));
            context.Close();
            isOmitted = context.IsOmitted;
            if (thrown is not null) attempt.RequestAbort(Failed(attempt, entry, thrown));
        }

        return first;
    }

    /// <summary>
    /// Resume parts, first registered first; what they throw is reported and the others still run.
    /// </summary>
    internal static void Resume(
        ReadOnlySpan<HandlerEntry> handlers,
        CheckpointOutcome outcome,
        HandlerPart part,
        string? participant,
        Action<HandlerError> report)
    {
        foreach (HandlerEntry entry in handlers)
        {
            if (Call(entry, part, "resume", handler => handler.Resume(outcome)) is { } thrown)
                report(new HandlerError(entry.Name, participant, "resume", outcome.Generation, thrown));
        }
    }

    /// <summary>
    /// Committed parts, first registered first; what they throw is reported and the others still run.
    /// </summary>
    internal static void Committed(
        ReadOnlySpan<HandlerEntry> handlers,
        long generation,
        HandlerPart part,
        string? participant,
        Action<HandlerError> report)
    {
        foreach (HandlerEntry entry in handlers)
        {
            if (Call(entry, part, "committed", handler => handler.Committed(generation)) is { } thrown)
                report(new HandlerError(entry.Name, participant, "committed", generation, thrown));
        }
    }

    /// <summary>
    /// The one place where handlers are called: whatever they throw is returned, for the caller to act on.
    /// </summary>
    private static Exception? Call(
        HandlerEntry entry, HandlerPart part, string kind, Action<ICheckpointHandler> call)
    {
        LockOwner? outer = LockOwner.Current;
        LockOwner.Current = entry.Owner ?? outer;
        part.Enter(entry, kind);
        try
        {
            call(entry.Handler);
            return null;
        }
        catch (Exception thrown)
        {
            return thrown;
        }
        finally
        {
            part.Leave();
            LockOwner.Current = outer;
        }
    }

    private static SnapshotException Failed(OpenAttempt attempt, HandlerEntry entry, Exception thrown) => new(
        SnapshotErrorCode.HandlerFailed,
        $"Checkpoint {attempt.Generation} was aborted: the prepare part of handler '{entry.Name}' threw " +
        $"{thrown.GetType().Name}: {thrown.Message}",
        thrown)
    {
        Generation = attempt.Generation,
    };
}
