using KillDemo;
using Snapshot;

namespace HeatDiffusion;

/// <summary>
/// One thread of the simulation: it sweeps its band of rows, meets the others,
/// and goes on where its state in the arena says.
/// </summary>
/// <remarks>
/// It may be stopped in <see cref="Participant.Poll"/>, at the barrier and at the lock of the results.
/// Between two of these its state changes as a whole, so each image shows it in one of the stages of
/// <see cref="WorkerStage"/>. <see cref="FiberWorker"/> is the same without them.
/// </remarks>
internal sealed unsafe class Worker(
    int index, HeatOptions options, HeatMemory memory, ResultsLog log, Checkpoints checkpoints)
{
    private readonly Band _band = new(index, options, memory);

    private WorkerState* State => _band.State;

    /// <summary>Sweeps to the last step.</summary>
    /// <exception cref="InvalidOperationException">A sweep was lost or counted twice.</exception>
    internal void Run(SnapshotSession session)
    {
        // Done, and gone, before the image was taken.
        if (State->Step == options.Steps) return;

        SweepCounter counter = new(State);
        using Participant me = session.Attach($"worker-{index}", new ParticipantOptions
        {
            Handlers = [("sweeps", counter)],
            Activity = $"sweeping rows {_band.FirstRow} to {_band.EndRow - 1}",
        });
        checkpoints.CountAttached();
        while (State->Step < options.Steps)
        {
            me.Poll();
            switch (State->Stage)
            {
                case WorkerStage.Sweep:
                    Sweep(me);
                    counter.Count();
                    State->Stage = WorkerStage.Arrive;
                    break;
                case WorkerStage.Arrive:
                    memory.State->Barrier.SignalAndWait();
                    if (_band.IsFirst && Band.IsRecorded(State->Step)) State->Stage = WorkerStage.Record;
                    else BeginNextSweep();
                    break;
                case WorkerStage.Record:
                    log.Record(State->Step + 1, _band.TotalHeat(), BeginNextSweep);
                    break;
            }
        }

        _band.ThrowUnlessComplete(counter);
    }

    private void Sweep(Participant me)
    {
        double heat = 0;
        for (int row = _band.FirstRow; row < _band.EndRow; row++)
        {
            // Stopped here, the band is swept again from its first row after a restart.
            me.Poll();
            heat += _band.SweepRow(State->Step, row);
        }

        _band.Tell(State->Step, heat);
    }

    private void BeginNextSweep()
    {
        State->Step++;
        State->Stage = WorkerStage.Sweep;
        if (_band.IsFirst) checkpoints.AfterStep(State->Step);
    }
}
