using Snapshot;

namespace HeatDiffusion;

/// <summary>
/// One thread of the simulation: it sweeps its band of rows, meets the others,
/// and goes on where its state in the arena says.
/// </summary>
/// <remarks>
/// It may be stopped in <see cref="Participant.Poll"/>, at the barrier and at the lock of the results. Between two of
/// these its state changes as a whole, so each image shows it in one of the stages of <see cref="WorkerStage"/>.
/// </remarks>
internal sealed unsafe class Worker(
    int index, HeatOptions options, HeatMemory memory, ResultsLog log, Checkpoints checkpoints)
{
    private readonly WorkerState* _state = &memory.Workers.Pointer[index];
    private readonly int _firstRow = RowOf(index, options);
    private readonly int _endRow = RowOf(index + 1, options);

    /// <summary>Sweeps to the last step.</summary>
    /// <exception cref="InvalidOperationException">A sweep was lost or counted twice.</exception>
    internal void Run(SnapshotSession session)
    {
        // Done, and gone, before the image was taken.
        if (_state->Step == options.Steps) return;

        SweepCounter counter = new(_state);
        using Participant me = session.Attach($"worker-{index}", new ParticipantOptions
        {
            Handlers = [("sweeps", counter)],
            Activity = $"sweeping rows {_firstRow} to {_endRow - 1}",
        });
        checkpoints.CountAttached();
        while (_state->Step < options.Steps)
        {
            me.Poll();
            switch (_state->Stage)
            {
                case WorkerStage.Sweep:
                    Sweep(me);
                    counter.Count();
                    _state->Stage = WorkerStage.Arrive;
                    break;
                case WorkerStage.Arrive:
                    memory.State->Barrier.SignalAndWait();
                    if (index == 0 && IsRecorded) _state->Stage = WorkerStage.Record;
                    else BeginNextSweep();
                    break;
                case WorkerStage.Record:
                    log.Record(_state->Step + 1, TotalHeat(), BeginNextSweep);
                    break;
            }
        }

        if (counter.Sweeps != options.Steps)
        {
            throw new InvalidOperationException(
                $"Thread {index} counted {counter.Sweeps} sweeps in {options.Steps} steps.");
        }
    }

    private bool IsRecorded => (_state->Step + 1) % HeatOptions.StepsPerResult == 0;

    private void Sweep(Participant me)
    {
        double* source = memory.Field(_state->Step);
        double* target = memory.Field(_state->Step + 1);
        double heat = 0;
        for (int row = _firstRow; row < _endRow; row++)
        {
            // Stopped here, the band is swept again from its first row after a restart.
            me.Poll();
            Stencil.SweepRow(source, target, options.Size, row);
            if (IsRecorded) heat += Stencil.SumRow(target, options.Size, row);
        }

        // The first thread reads it in its Record stage,
        // while the others are at most one sweep ahead, which is not recorded.
        if (IsRecorded) _state->Heat = heat;
    }

    private double TotalHeat()
    {
        double heat = 0;
        for (int worker = 0; worker < options.Threads; worker++) heat += memory.Workers[worker].Heat;
        return heat;
    }

    private void BeginNextSweep()
    {
        _state->Step++;
        _state->Stage = WorkerStage.Sweep;
        if (index == 0) checkpoints.AfterStep(_state->Step);
    }

    /// <summary>The first row of a band; the rim belongs to none.</summary>
    private static int RowOf(int index, HeatOptions options) =>
        1 + (int)((long)(options.Size - 2) * index / options.Threads);
}
