namespace Snapshot;

/// <summary>What became of a checkpoint, as a resume part is told it.</summary>
public enum CheckpointOutcomeKind
{
    /// <summary>
    /// Memory was captured and this process goes on. Not durable yet: see
    /// <see cref="ICheckpointHandler.Committed"/>.
    /// </summary>
    Continued = 1,

    /// <summary>This is another process, in which memory is as it was at the capture.</summary>
    Restarted,

    /// <summary>
    /// There is no checkpoint; <see cref="CheckpointOutcome.AbortCode"/> and
    /// <see cref="CheckpointOutcome.Cause"/> tell why.
    /// </summary>
    Aborted,

    /// <summary>
    /// As Continued, but this participant is not recorded in the image because one of its handlers asked for
    /// that.
    /// </summary>
    Omitted,
}
