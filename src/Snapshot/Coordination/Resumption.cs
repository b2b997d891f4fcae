namespace Snapshot.Coordination;

/// <summary>
/// The second half of a restart: every handler that the image names is resumed, once, when it registers. What
/// one throws fails the restart for everybody.
/// </summary>
internal sealed class Resumption(Rendezvous rendezvous)
{
    internal RestartLedger Ledger { get; } = new();

    /// <summary>
    /// Runs one claimed handler's resume part with Restarted; what it throws fails the restart for everybody.
    /// </summary>
    internal void ResumeRestarted(HandlerEntry entry, HandlerPart part, string? participant)
    {
        if (rendezvous.HasFailed) return;
        CheckpointOutcome outcome = new(CheckpointOutcomeKind.Restarted, Ledger.Generation);
        HandlerError? error = null;
        HandlerRun.Resume([entry], outcome, part, participant, thrown => error = thrown);
        if (error is null) Ledger.MarkResumed(participant, entry.Name);
        else
            FailRestart(
                $"The restart from generation {Ledger.Generation} failed: the resume part of handler " +
                $"'{entry.Name}'{(participant is null ? "" : $" of participant '{participant}'")} threw " +
                $"{error.Exception.GetType().Name}: {error.Exception.Message} The session cannot go on. " +
                "Restart again; if that fails, too, restart from an older generation.",
                error.Exception);
    }

    /// <summary>
    /// Memory of the image could not be read after the session had begun: every safepoint and every
    /// checkpoint says so from now on.
    /// </summary>
    internal void FailRestart(SnapshotException damage) => FailRestart(
        $"The restart from generation {Ledger.Generation} failed after the session had begun: memory that " +
        $"was still to come cannot be restored. {damage.Message}",
        damage);

    internal void AwaitRestartGate()
    {
        if (!Ledger.AwaitComplete(rendezvous.GateTimeout))
            FailRestart(
                $"The restart from generation {Ledger.Generation} failed. Within {rendezvous.GateTimeout} " +
                $"these did not resume: {Ledger.DescribeMissing()}. Register every handler that the image " +
                "names (sync ones through ParticipantOptions.Handlers), or use no gate.",
                cause: null);
    }

    private void FailRestart(string message, Exception? cause)
    {
        SnapshotException failure = new(SnapshotErrorCode.RestartFailed, message, cause)
        {
            Generation = Ledger.Generation,
        };

        // Polls know before anybody learns of it from the gate.
        if (rendezvous.TryFail(failure)) Ledger.Fail();
    }
}
