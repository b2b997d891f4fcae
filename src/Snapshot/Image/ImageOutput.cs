using Snapshot.Base;

namespace Snapshot.Image;

/// <summary>
/// The last stage of writing: gathers buffers, which it does not copy, into large writes and keeps several in
/// flight. One thread at a time appends.
/// </summary>
internal sealed class ImageOutput
{
    private readonly IImageSink _sink;
    private readonly ImageWriterOptions _options;
    private readonly WriteBudget? _budget;
    private readonly Action<BlockBuffer> _release;
    private readonly Action<Exception> _fail;
    private readonly HandoverQueue<WriteBatch> _free;
    private readonly HandoverQueue<WriteBatch> _full;
    private readonly List<Thread> _writers = [];
    private WriteBatch? _current;

    /// <param name="sink">Where the bytes go.</param>
    /// <param name="options">How large writes are and how many are in flight.</param>
    /// <param name="release">Takes each buffer back that was written.</param>
    /// <param name="fail">Takes the failure of a write.</param>
    internal ImageOutput(
        IImageSink sink, ImageWriterOptions options, Action<BlockBuffer> release, Action<Exception> fail)
    {
        _sink = sink;
        _options = options;
        if (options.BytesPerSecond is { } rate) _budget = new WriteBudget(rate, options.Time);
        _release = release;
        _fail = fail;
        int count = options.WritesInFlight + 1;
        _free = new HandoverQueue<WriteBatch>(count);
        _full = new HandoverQueue<WriteBatch>(count);
        for (int i = 0; i < count; i++) _free.Add(new WriteBatch(BlocksPerWrite(options)));
    }

    /// <summary>Bytes appended so far: the offset of the next append.</summary>
    internal long Position { get; private set; }

    /// <summary>
    /// Buffers that may be in here: those of the writes in flight, and of the one being gathered.
    /// </summary>
    internal static int BlocksHeld(ImageWriterOptions options) =>
        (options.WritesInFlight + 1) * BlocksPerWrite(options);

    /// <summary>
    /// Takes a buffer until it is written. Returns false when the writing was aborted.
    /// </summary>
    /// <param name="buffer">The buffer.</param>
    /// <param name="bytes">What is written of it: whole pages.</param>
    internal bool Append(BlockBuffer buffer, ReadOnlyMemory<byte> bytes)
    {
        if (_current is null)
        {
            if (_free.Take() is not { } batch) return false;
            batch.Begin(Position);
            _current = batch;
        }

        _current.Add(buffer, bytes);
        Position += bytes.Length;
        if (_current.IsFull || _current.Length >= WriteBytes(_options)) Hand();
        return true;
    }

    /// <summary>Waits until everything appended was written, or the writing was aborted.</summary>
    internal void Finish()
    {
        if (_current is not null) Hand();
        _full.End();
        Join();
    }

    internal void Abort()
    {
        _free.Abort();
        _full.Abort();
        _budget?.Abort();
    }

    internal void Join()
    {
        foreach (Thread writer in _writers) writer.Join();
    }

    private static int BlocksPerWrite(ImageWriterOptions options) =>
        Math.Max(1, WriteBytes(options) / ImageFormat.BlockBytesMax);

    /// <summary>
    /// Under a cap writes are smaller, sixteen a second, so that the disk is busy in small steps.
    /// </summary>
    private static int WriteBytes(ImageWriterOptions options) =>
        (int)Math.Min(options.WriteBytes, options.BytesPerSecond / 16 ?? int.MaxValue);

    private void Hand()
    {
        _full.Add(_current!);
        _current = null;

        // One for each of the first writes: a small image has one.
        if (_writers.Count < _options.WritesInFlight)
            _writers.Add(ImageThread.Start(_options, CheckpointTask.Write, WriteAll, _fail));
    }

    private void WriteAll()
    {
        while (_full.Take() is { } batch)
        {
            if (_budget?.Wait(batch.Length) == false) return;
            _sink.Write(batch.Segments, batch.Offset);
            batch.Release(_release);
            _free.Add(batch);
        }
    }
}
