namespace Snapshot.Coordination;

/// <summary>
/// One attempt at a checkpoint as those see it who take part: participants and the handler thread.
/// </summary>
/// <remarks>
/// They count themselves in and out, ask for an abort, and are told the outcome; <see cref="Attempt"/>
/// drives. Any thread.
/// </remarks>
#pragma warning disable CA1001 // Whoever waits for it may outlive the attempt; it has no handle.
internal abstract class OpenAttempt
#pragma warning restore CA1001
{
    private readonly Rendezvous _rendezvous;
    private readonly ManualResetEventSlim _resumed = new();
    private readonly List<HandlerError> _resumeErrors = [];
    private readonly List<string> _died = [];

    /// <summary>
    /// The first abort by a handler, or what the first prepare part that threw did; set once.
    /// </summary>
    private Exception? _requested;

    /// <summary>
    /// Parts under way: one for the async handlers, one for each participant from its first prepare to its
    /// last resume part.
    /// </summary>
    private int _parts = 1;
    private volatile bool _isAsyncDone;
    private volatile bool _isDoomed;

    private protected OpenAttempt(Rendezvous rendezvous, long generation, bool isBrief)
    {
        _rendezvous = rendezvous;
        Generation = generation;
        IsBrief = isBrief;
    }

    internal long Generation { get; }

    /// <summary>Participants are stopped for a moment only; no handler knows of it.</summary>
    internal bool IsBrief { get; }

    /// <summary>The attempt number in the word.</summary>
    internal int Number { get; private protected set; }

    /// <summary>Whether the async handlers' prepare parts have run.</summary>
    internal bool IsAsyncDone => _isAsyncDone;

    internal bool IsResumed => _resumed.IsSet;

    /// <summary>
    /// True once the attempt is going to be aborted; long work of the coordinator may look at it and stop.
    /// </summary>
    internal bool IsDoomed => _isDoomed;

    /// <summary>
    /// Names of participants whose threads were found to have ended during the attempt. A copy.
    /// </summary>
    internal IReadOnlyList<string> Died
    {
        get
        {
            lock (_died) return [.. _died];
        }
    }

    /// <summary>What resume and committed parts of this attempt threw so far. A copy.</summary>
    internal IReadOnlyList<HandlerError> ResumeErrors
    {
        get
        {
            lock (_resumeErrors) return [.. _resumeErrors];
        }
    }

    /// <summary>
    /// Written by the coordinator before the change of the word that lets participants go on; read by them
    /// after it.
    /// </summary>
    private protected CheckpointOutcome Outcome { get; set; }

    private protected Exception? Requested => Volatile.Read(ref _requested);

    private protected PhaseBarrier Barrier => _rendezvous.Barrier;

    /// <summary>
    /// A participant is about to take part. Count first, then look at the word again: an abort changes the
    /// word first and looks at the count then, so one of the two sees the other, and an abort that is
    /// complete is not followed by a prepare part.
    /// </summary>
    /// <returns>False when the attempt no longer stops participants.</returns>
    internal bool TryEnterPart()
    {
        Interlocked.Increment(ref _parts);
        if (PhaseWord.IsStopping(Barrier.Read(), Number)) return true;
        LeavePart();
        return false;
    }

    internal void LeavePart()
    {
        if (Interlocked.Decrement(ref _parts) == 0) _resumed.Set();
    }

    /// <summary>The first request wins; everybody, the requester included, is told that one.</summary>
    internal void RequestAbort(SnapshotException cause)
    {
        Interlocked.CompareExchange(ref _requested, cause, null);
        _isDoomed = true;
        Barrier.Notify();
    }

    internal CheckpointOutcome OutcomeFor(bool isOmitted) =>
        isOmitted && Outcome.Kind == CheckpointOutcomeKind.Continued
            ? Outcome.As(CheckpointOutcomeKind.Omitted)
            : Outcome;

    internal void Report(HandlerError error)
    {
        lock (_resumeErrors) _resumeErrors.Add(error);
        _rendezvous.Report(error);
    }

    /// <summary>Waits until all resume parts are done, at most that long.</summary>
    internal void AwaitResumed(TimeSpan timeout) => _resumed.Wait(timeout);

    /// <summary>Which handler parts run now.</summary>
    internal abstract string DescribeParts();

    /// <summary>
    /// A participant's thread has ended. Whoever waits or attaches may notice it, also while the attempt is
    /// being reported: any thread.
    /// </summary>
    internal void NoteDead(string name)
    {
        lock (_died) _died.Add(name);
    }

    private protected void MarkAsyncDone() => _isAsyncDone = true;

    private protected void Doom() => _isDoomed = true;
}
