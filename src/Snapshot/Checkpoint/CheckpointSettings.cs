namespace Snapshot.Checkpoint;

/// <summary>How the checkpoints of a session are taken that do not say otherwise.</summary>
internal sealed class CheckpointSettings
{
    /// <summary>From a request until every participant must have come.</summary>
    internal required TimeSpan Timeout { get; init; }

    internal required BlockEncoding Encoding { get; init; }

    internal required int EncoderThreads { get; init; }

    internal required long? DrainBytesPerSecond { get; init; }
}
