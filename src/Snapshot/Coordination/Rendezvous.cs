namespace Snapshot.Coordination;

/// <summary>
/// Where participants and the attempt that stops them meet: the barrier, the open attempt, and why there may
/// be none any more.
/// </summary>
/// <remarks>Thread-safe.</remarks>
/// <param name="gates">Where participants wait that do not say otherwise.</param>
/// <param name="gateTimeout">How long they wait there.</param>
/// <param name="report">
/// Told what handlers throw where that undoes nothing. Any thread; must not throw.
/// </param>
internal sealed class Rendezvous(Gates gates, TimeSpan gateTimeout, Action<HandlerError> report)
{
    private OpenAttempt? _attempt;
    private SnapshotException? _failure;
    private SnapshotException? _refusal;

    internal Gates Gates => gates;

    internal TimeSpan GateTimeout => gateTimeout;

    internal PhaseBarrier Barrier { get; } = new();

    internal CommitLine Commits { get; } = new();

    internal Phase Phase => PhaseWord.PhaseOf(Barrier.Read());

    internal OpenAttempt? OpenAttempt => Volatile.Read(ref _attempt);

    internal bool HasFailed => Volatile.Read(ref _failure) is not null;

    internal void Report(HandlerError error) => report(error);

    /// <summary>Makes an attempt the open one, unless there is another.</summary>
    /// <exception cref="SnapshotException">Busy.</exception>
    internal void Open(OpenAttempt attempt)
    {
        if (Interlocked.CompareExchange(ref _attempt, attempt, null) is { } other)
            throw new SnapshotException(
                SnapshotErrorCode.Busy,
                $"Checkpoint {other.Generation} is running (phase {Phase}); wait for it before asking for " +
                "another.")
            {
                Generation = other.Generation,
            };
    }

    internal void Close(OpenAttempt attempt) => Interlocked.CompareExchange(ref _attempt, null, attempt);

    /// <summary>
    /// No checkpoint is taken any more, nor is the one that runs: it would capture what can never go on. The
    /// first cause stays. To be called by a participant that is still attached, so that no capture comes
    /// between.
    /// </summary>
    internal void RefuseCheckpoints(Exception cause)
    {
        SnapshotException refusal = new(
            SnapshotErrorCode.FiberFailed,
            "Snapshot takes no more checkpoints, since they would capture fibers that cannot go on: " +
            $"{cause.Message} Restart from the newest generation, which is from before.",
            cause);
        Interlocked.CompareExchange(ref _refusal, refusal, null);
        OpenAttempt?.RequestAbort(refusal);
    }

    internal void ThrowIfRefused()
    {
        if (Volatile.Read(ref _refusal) is { } refusal)
            throw new SnapshotException(refusal.Code, refusal.Message, refusal.InnerException);
    }

    internal void ThrowIfFailed()
    {
        if (Volatile.Read(ref _failure) is { } failure)
            throw new SnapshotException(failure.Code, failure.Message, failure.InnerException)
            {
                Generation = failure.Generation,
            };
    }

    /// <summary>The session cannot go on: every safepoint and every checkpoint says so from now on.</summary>
    /// <returns>False when it had failed before; the first cause stays.</returns>
    internal bool TryFail(SnapshotException failure)
    {
        if (Interlocked.CompareExchange(ref _failure, failure, null) is not null) return false;
        Barrier.MarkFailed();
        return true;
    }
}
