namespace Snapshot.Coordination;

/// <summary>The handlers that are to be told that one generation is durable: at once, or later.</summary>
/// <param name="generation">The generation.</param>
/// <param name="participants">Those at the capture that are in the image.</param>
/// <param name="asyncEntries">The async handlers of the attempt.</param>
/// <param name="asyncHandlers">Whose thread tells them.</param>
/// <param name="line">Who orders what is told.</param>
/// <param name="report">Told what a committed part of an async handler throws.</param>
internal sealed class CommittedParts(
    long generation, IReadOnlyList<(Participant Participant, HandlerEntry[] Handlers)> participants,
    HandlerEntry[] asyncEntries, AsyncHandlers asyncHandlers, CommitLine line, Action<HandlerError> report)
{
    /// <summary>Tells all that took part.</summary>
    internal void Tell() => line.Tell(generation, isLate: false, () => Post(all: true));

    /// <summary>
    /// Tells those that took part and are registered still, unless a younger generation was told before or
    /// the session is closed. Any thread.
    /// </summary>
    internal void TellLate() => line.Tell(generation, isLate: true, () => Post(all: false));

    private void Post(bool all)
    {
        foreach ((Participant participant, HandlerEntry[] took) in participants)
        {
            HandlerEntry[] told = all ? took : StillIn(participant.Handlers, took);
            if (told.Length > 0) participant.Notify(new CommitNotice(generation, told));
        }

        HandlerEntry[] toldAsync = all ? asyncEntries : StillIn(asyncHandlers.List, asyncEntries);
        if (toldAsync.Length == 0) return;
        asyncHandlers.Post(
            () => HandlerRun.Committed(toldAsync, generation, asyncHandlers.Part, null, report));
    }

    private static HandlerEntry[] StillIn(HandlerList list, HandlerEntry[] took)
    {
        HandlerEntry[] now = list.Enabled;
        return [.. took.Where(entry => Array.Exists(now, one => ReferenceEquals(one, entry)))];
    }
}
