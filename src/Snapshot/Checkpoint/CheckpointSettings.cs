using Snapshot.Image;

namespace Snapshot.Checkpoint;

/// <summary>
/// How the checkpoints of a session are taken that do not say otherwise, and of what memory.
/// </summary>
internal sealed class CheckpointSettings
{
    /// <summary>From a request until every participant must have come.</summary>
    internal required TimeSpan Timeout { get; init; }

    internal required BlockEncoding Encoding { get; init; }

    internal required int EncoderThreads { get; init; }

    internal required long? DrainBytesPerSecond { get; init; }

    /// <summary>How arenas are captured that do not say otherwise.</summary>
    internal required CaptureMode Capture { get; init; }

    /// <summary>Bytes that copies of changed pages may take.</summary>
    internal required long StagingLimit { get; init; }

    /// <summary>The image that the memory is as, or null when it was never in one.</summary>
    internal required ImageLink? Parent { get; init; }

    /// <summary>Whether pages of arenas are still to come from an image.</summary>
    internal required Func<bool> IsFilling { get; init; }

    /// <summary>Refuses a checkpoint that would leave out what the image had.</summary>
    internal required Action ThrowUnlessComplete { get; init; }
}
