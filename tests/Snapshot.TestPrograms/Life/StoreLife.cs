namespace Snapshot.TestPrograms.Life;

/// <summary>
/// A whole life of a small store: first image, increments, maintenance, compaction, restart, lazy restart,
/// rollback. It survives errors of the store: it says them, goes on with the next checkpoint, and opens again
/// what could not be opened.
/// </summary>
/// <remarks>
/// With one fault in it, what began after the fault must succeed. Exempt is what only undoes its
/// consequences: a session whose restart failed is opened again; maintenance waits until a checkpoint has
/// resolved an unknown outcome.
/// </remarks>
internal sealed class StoreLife(string store, LifeLog log)
{
    private const int Attempts = 2;

    // A guard, against waiting for ever: tools hold a store for a moment.
    private const int BusyAttemptsMost = 3000;

    private static readonly RetentionPolicy s_keepTwo = new() { KeepLast = 2 };

    private SnapshotErrorCode? _lastError;
    private long? _chosen;

    /// <summary>
    /// How stores of a life are kept: chains are short, so that compaction comes by itself, too.
    /// </summary>
    internal static SnapshotOptions Options { get; } = new()
    {
        Store = new StoreOptions { ChainLengthMax = 3, Retention = s_keepTwo },
        Tuning = new SnapshotTuning { EncoderThreads = 1 },
    };

    internal void Run()
    {
        Session("first", RestartFill.Eager, (session, state) => Checkpoints(session, state, 5));
        Session("maintenance", RestartFill.Eager, (session, state) =>
        {
            Checkpoints(session, state, 1);
            Attempt("compact", () => Compact(session.Store));
            Checkpoints(session, state, 1);
            Attempt("prune", () => session.Store.PruneAsync(s_keepTwo).GetAwaiter().GetResult());
            Checkpoints(session, state, 1);
        });
        Session("lazy", RestartFill.Lazy, (session, state) => Checkpoints(session, state, 2));
        Session("last", RestartFill.Eager, (session, state) => Checkpoints(session, state, 1));
        Attempt("roll back", RollBack);
        Session("rolled back", RestartFill.Eager, (session, state) => Checkpoints(session, state, 1));
        Attempt("verify", Verify);
    }

    /// <summary>
    /// Does something; its failure is told, and is a finding when it began after the fault.
    /// </summary>
    internal bool Attempt(string what, Action action) => Attempt(what, Rig.Hits > 0, action);

    private bool Attempt(string what, bool isAfterFault, Action action)
    {
        try
        {
            action();
            return true;
        }
        catch (SnapshotException error)
        {
            log.Tell(what, error);
            _lastError = error.Code;
            bool isConsequence = error.Code == SnapshotErrorCode.RestartFailed
                || (what is "compact" or "prune" && error.Code == SnapshotErrorCode.OutcomeUnknown);
            if (isAfterFault && !isConsequence && !IsFaultLasting)
                log.Find($"{what} failed after the fault: {error.Code} {error.Message}");
        }
#pragma warning disable CA1031 // What is foreign is what is looked for.
        catch (Exception error)
#pragma warning restore CA1031
        {
            log.Find($"{what} threw {error}");
        }

        return false;
    }

    /// <summary>Whether the fault hits each call from some point on.</summary>
    internal bool IsFaultLasting { get; init; }

    /// <summary>Whether others may have the store between two sessions: then it is waited for.</summary>
    internal bool HasOthers { get; init; }

    private void Session(string what, RestartFill fill, Action<SnapshotSession, LifeState> body)
    {
        for (int attempt = 0; attempt < Attempts; attempt++)
        {
            SnapshotSession? session = null;
            long hits = Rig.Hits;
            int busy = 0;
            while (!Attempt($"open {what}", () =>
                session = SnapshotSession.Open(store, Restarting(new RestartOptions { Fill = fill })))
                && HasOthers && _lastError == SnapshotErrorCode.StoreBusy && busy++ < BusyAttemptsMost)
            {
                Thread.Sleep(10);
            }

            if (session is null) continue;
            bool done = Attempt($"begin {what}", hits > 0, () =>
            {
                // Until all has come, a page that cannot be had ends the process, as it must.
                session!.Restarted?.Residency.Completed.GetAwaiter().GetResult();
            });
            LifeState? state = null;
            long[] buffer = LifeState.NewBuffer();
            done = done && (Attempt($"memory {what}", () => state = LifeState.Open(session!, buffer))
                || Attempt($"memory {what} again", () => state = LifeState.Open(session!, buffer)));
            if (done && Check(what, session!, state!)) body(session!, state!);
            Attempt($"close {what}", session!.Dispose);
            GC.KeepAlive(buffer);
            if (done) return;
            if (Rig.Hits == hits && !IsFaultLasting)
                log.Find($"{what} did not begin, and the fault is not the reason");
        }

        if (!IsFaultLasting) log.Find($"{what} could not be opened");
    }

    /// <summary>The same options for a restart.</summary>
    internal static SnapshotOptions Restarting(RestartOptions restart) =>
        new() { Store = Options.Store, Tuning = Options.Tuning, Restart = restart };

    private bool Check(string what, SnapshotSession session, LifeState state)
    {
        long generation = session.Restarted?.Generation ?? 0;
        string? fault = state.Fault();
        if (fault is null && log.Acknowledged.TryGetValue(generation, out long step) && step != state.Step)
            fault = $"step {state.Step} instead of {step}";
        long newest = log.Acknowledged.Keys.DefaultIfEmpty().Max();
        if (fault is null && generation < newest && generation != log.Wanted)
            fault = $"generation {newest} was acknowledged";
        if (fault is null && _chosen is { } chosen && generation != chosen)
            fault = $"generation {chosen} was chosen";
        _chosen = null;
        if (fault is null) return true;
        log.Find($"{what}: restarted from generation {generation}: {fault}");
        return false;
    }

    private void Checkpoints(SnapshotSession session, LifeState state, int count)
    {
        for (int turn = 0; turn < count; turn++)
        {
            state.Go();
            Attempt("checkpoint", () =>
            {
                long generation = session.RequestCheckpoint().WaitCommittedInThread().Generation;
                log.Acknowledge(generation, state.Step);
            });
        }
    }

    private static void Compact(SnapshotStore opened)
    {
        if (opened.Newest is { } newest) opened.CompactAsync(newest.Generation).GetAwaiter().GetResult();
    }

    /// <summary>The next restart takes the generation before the newest.</summary>
    private void RollBack()
    {
        using SnapshotStore opened = SnapshotStore.Open(store, Options.Store);
        long[] listed = [.. opened.Generations.Where(entry => !entry.IsPassedOver).Select(
            entry => entry.Generation)];
        if (listed.Length < 2) return;
        log.Want(listed[^2]);
        opened.ChooseRestart(listed[^2]);
        _chosen = listed[^2];
    }

    private void Verify()
    {
        using SnapshotStore opened = SnapshotStore.OpenReadOnly(store);
        VerifyReport report = opened.VerifyAsync().GetAwaiter().GetResult();
        if (!report.IsIntact && Rig.Hits == 0) log.Find($"verify: {string.Join("; ", report.Problems)}");
    }
}
