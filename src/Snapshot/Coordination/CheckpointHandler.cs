namespace Snapshot;

/// <summary>Makes handlers from delegates.</summary>
public static class CheckpointHandler
{
    /// <summary>Makes a handler of up to three parts; a missing one does nothing.</summary>
    /// <param name="prepare">See <see cref="ICheckpointHandler.Prepare"/>.</param>
    /// <param name="resume">See <see cref="ICheckpointHandler.Resume"/>.</param>
    /// <param name="committed">See <see cref="ICheckpointHandler.Committed"/>.</param>
    /// <returns>The handler.</returns>
    public static ICheckpointHandler Create(
        Action<PrepareContext>? prepare = null,
        Action<CheckpointOutcome>? resume = null,
        Action<long>? committed = null) => new DelegateHandler(prepare, resume, committed);

    private sealed class DelegateHandler(
        Action<PrepareContext>? prepare,
        Action<CheckpointOutcome>? resume,
        Action<long>? committed) : ICheckpointHandler
    {
        public void Prepare(PrepareContext context) => prepare?.Invoke(context);

        public void Resume(CheckpointOutcome outcome) => resume?.Invoke(outcome);

        public void Committed(long generation) => committed?.Invoke(generation);
    }
}
