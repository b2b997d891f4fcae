using Snapshot.Base;

namespace Snapshot.Image;

/// <summary>How an image is written. None of it changes what is read back.</summary>
internal sealed class ImageWriterOptions
{
    internal static readonly ImageWriterOptions Default = new();

    internal BlockEncoding Encoding { get; init; } = BlockEncoding.Auto;

    /// <value>
    /// Threads that encode; default half of the processors, so that the application keeps the others.
    /// </value>
    internal int EncoderThreads { get; init => field = OptionValue.InRange(value, 1, 256); } =
        Math.Clamp(System.Environment.ProcessorCount / 2, 1, 16);

    /// <value>
    /// Called on each thread that encodes or writes, with its work, for instance to measure that, or to lower
    /// the thread's priority before; must call it once. What it throws fails the image. Default calls it.
    /// </value>
    internal Action<CheckpointTask, Action> Around { get; init; } = static (_, work) => work();

    /// <value>
    /// Where the buffers come from and go back to; not disposed of. Default null: from nowhere else.
    /// </value>
    internal BlockPool? Pool { get; init; }

    /// <value>Writes in flight at once, each by a thread of its own; default 2.</value>
    internal int WritesInFlight { get; init => field = OptionValue.InRange(value, 1, 64); } = 2;

    /// <value>
    /// Bytes from which on a write is not made larger, and at least one block; a multiple of 4096; default 4
    /// MiB.
    /// </value>
    internal int WriteBytes
    {
        get;
        init => field = OptionValue.MultipleOf(
            OptionValue.InRange(value, ImageFormat.PageSize, 1 << 30), ImageFormat.PageSize);
    } = 4 << 20;

    /// <value>Bytes a second, at most, that are handed to the sink; at least 1. Default null: no cap.</value>
    internal long? BytesPerSecond
    {
        get; init => field = value is { } rate
        ? OptionValue.AtLeast(rate, 1) : null;
    }

    /// <value>The clock of the cap.</value>
    internal TimeProvider Time { get; init; } = TimeProvider.System;
}
