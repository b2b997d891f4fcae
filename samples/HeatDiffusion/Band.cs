namespace HeatDiffusion;

/// <summary>The rows of one worker, and how they are swept.</summary>
internal sealed unsafe class Band(int index, HeatOptions options, HeatMemory memory)
{
    /// <summary>What the others see of the worker.</summary>
    internal WorkerState* State { get; } = &memory.Workers.Pointer[index];

    internal int FirstRow { get; } = RowOf(index, options);

    internal int EndRow { get; } = RowOf(index + 1, options);

    /// <summary>The first worker's; it does what is to be done once.</summary>
    internal bool IsFirst => index == 0;

    /// <summary>Whether what comes out of a step is recorded.</summary>
    internal static bool IsRecorded(long step) => (step + 1) % HeatOptions.StepsPerResult == 0;

    /// <summary>Computes a row of the field after the step.</summary>
    /// <returns>The sum of the row if the step is recorded.</returns>
    internal double SweepRow(long step, int row)
    {
        double* target = memory.Field(step + 1);
        Stencil.SweepRow(memory.Field(step), target, options.Size, row);
        return IsRecorded(step) ? Stencil.SumRow(target, options.Size, row) : 0;
    }

    /// <summary>Notes the sum of the rows after a step, if that is recorded.</summary>
    internal void Tell(long step, double heat)
    {
        // The first worker reads it when all have swept, while the others are at most one sweep ahead, which
        // is not recorded.
        if (IsRecorded(step)) State->Heat = heat;
    }

    /// <summary>Shows how far the worker is, to whom it interests.</summary>
    internal void EndStep(long step) => State->Step = step + 1;

    /// <summary>The sum of all bands, always in the same order.</summary>
    internal double TotalHeat()
    {
        double heat = 0;
        for (int worker = 0; worker < options.Threads; worker++) heat += memory.Workers[worker].Heat;
        return heat;
    }

    /// <exception cref="InvalidOperationException">A sweep was lost or counted twice.</exception>
    internal void ThrowUnlessComplete(SweepCounter counter)
    {
        if (counter.Sweeps == options.Steps) return;
        throw new InvalidOperationException(
            $"Thread {index} counted {counter.Sweeps} sweeps in {options.Steps} steps.");
    }

    /// <summary>The first row of a band; the rim belongs to none.</summary>
    private static int RowOf(int index, HeatOptions options) =>
        1 + (int)((long)(options.Size - 2) * index / options.Threads);
}
