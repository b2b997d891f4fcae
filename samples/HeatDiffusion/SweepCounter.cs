using Snapshot;

namespace HeatDiffusion;

/// <summary>
/// A thread's sync handler: something the thread keeps outside the arena, here a count of its sweeps, is put
/// into the arena when the thread was stopped, and taken out again in a new process. The count tells at the
/// end whether any sweep was lost or repeated.
/// </summary>
internal sealed unsafe class SweepCounter(WorkerState* state) : ICheckpointHandler
{
    internal long Sweeps { get; private set; }

    internal static SweepCounter Of(Band band) => new(band.State);

    internal void Count() => Sweeps++;

    public void Prepare(PrepareContext context) => state->SweepsCounted = Sweeps;

    public void Resume(CheckpointOutcome outcome)
    {
        if (outcome.Kind == CheckpointOutcomeKind.Restarted) Sweeps = state->SweepsCounted;
    }
}
