namespace Snapshot;

/// <summary>How far a checkpoint is.</summary>
public readonly struct SnapshotProgress
{
    internal SnapshotProgress(CheckpointStage stage, long pagesDone, long pagesTotal)
    {
        Stage = stage;
        PagesDone = pagesDone;
        PagesTotal = pagesTotal;
    }

    /// <summary>What it does now.</summary>
    public CheckpointStage Stage { get; }

    /// <summary>Pages handled in this stage, 0 where it does not count pages.</summary>
    public long PagesDone { get; }

    /// <summary>Pages to handle in this stage, 0 where it does not count pages.</summary>
    public long PagesTotal { get; }
}

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
