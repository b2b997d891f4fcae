namespace Snapshot;

/// <summary>How far a checkpoint is.</summary>
/// <param name="Generation">The generation it will be.</param>
/// <param name="Stage">What it does now.</param>
/// <param name="PagesDone">Pages handled in this stage, 0 where it does not count pages.</param>
/// <param name="PagesTotal">Pages to handle in this stage, 0 where it does not count pages.</param>
public readonly record struct SnapshotProgress(long Generation, CheckpointStage Stage, long PagesDone, long PagesTotal);

/// <summary>What a checkpoint does, as progress reports it.</summary>
public enum CheckpointStage
{
    /// <summary>Waiting for critical sections to end.</summary>
    Waiting,

    /// <summary>Async handlers prepare; changed pages are copied while the application runs.</summary>
    Preparing,

    /// <summary>Participants are being stopped; the pause has begun.</summary>
    Stopping,

    /// <summary>The pause is over; the image is being written.</summary>
    Draining,

    /// <summary>The image is being made durable.</summary>
    Committing,
}
