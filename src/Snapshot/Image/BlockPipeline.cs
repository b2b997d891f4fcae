using System.Runtime.ExceptionServices;
using Snapshot.Base;

namespace Snapshot.Image;

/// <summary>
/// Copied pages -> encoder threads -> appended in order -> writer threads. There is a fixed number of
/// buffers, taken when they are first needed, which go round: that bounds the memory and makes a slow disk
/// hold back the producer. The first failure of any stage, or the cancellation, stops all stages and is
/// thrown to the producer.
/// </summary>
internal sealed class BlockPipeline : IDisposable
{
    private readonly ImageWriterOptions _options;
    private readonly ImageOutput _output;
    private readonly BlockPool _pool;
    private readonly BlockBuffer?[] _buffers;
    private readonly HandoverQueue<BlockBuffer> _free;
    private readonly HandoverQueue<BlockBuffer> _submitted;
    private readonly List<Thread> _encoders = [];
    private readonly List<WrittenBlock> _blocks = [];
    private readonly CancellationTokenRegistration _cancellation;
    private ExceptionDispatchInfo? _failure;
    private int _bufferCount;

    /// <summary>
    /// Guards <see cref="_turn"/>: the sequence of the block that may be appended next. Its thread alone
    /// appends.
    /// </summary>
    private readonly object _turnGate = new();
    private int _turn;
    private int _submittedCount;

    internal BlockPipeline(IImageSink sink, ImageWriterOptions options, CancellationToken cancellation)
    {
        _options = options;

        _pool = options.Pool ?? new BlockPool();

        // Those the output may hold without writing them, and for each encoder one at work and one waiting.
        _buffers = new BlockBuffer?[ImageOutput.BlocksHeld(options) + 2 * options.EncoderThreads + 2];
        _free = new HandoverQueue<BlockBuffer>(_buffers.Length);
        _submitted = new HandoverQueue<BlockBuffer>(_buffers.Length);
        _output = new ImageOutput(sink, options, _free.Add, Fail);
        _cancellation = cancellation.Register(() => Fail(new OperationCanceledException(cancellation)));
    }

    /// <summary>
    /// In the order of the file, which is that of submission. Complete after <see cref="Drain"/>.
    /// </summary>
    internal List<WrittenBlock> Blocks => _blocks;

    /// <summary>Blocks submitted so far: the sequence of the next.</summary>
    internal int SubmittedCount => _submittedCount;

    internal long Position => _output.Position;

    /// <summary>An empty block; waits for one when all are on their way.</summary>
    internal BlockBuffer Rent()
    {
        ThrowIfFailed();
        if (!_free.TryTake(out BlockBuffer? buffer))
        {
            if (_bufferCount < _buffers.Length) return _buffers[_bufferCount++] = _pool.Take();
            buffer = _free.Take();
        }

        ThrowIfFailed();
        buffer!.Clear();
        return buffer;
    }

    /// <summary>Takes back a block that was not needed.</summary>
    internal void GiveBack(BlockBuffer block) => _free.Add(block);

    /// <returns>The sequence of the block.</returns>
    internal int Submit(BlockBuffer block)
    {
        int sequence = block.Sequence = _submittedCount++;
        _submitted.Add(block);

        // One for each of the first blocks: a small image has few threads.
        if (_encoders.Count < _options.EncoderThreads)
            _encoders.Add(ImageThread.Start(_options, CheckpointTask.Encode, EncodeAll, Fail));
        return sequence;
    }

    /// <summary>
    /// Bytes that are no block: before the first one was submitted, or after <see cref="Drain"/>.
    /// </summary>
    internal void AppendDirectly(ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            BlockBuffer buffer = Rent();
            int part = Math.Min(bytes.Length, ImageFormat.BlockBytesMax);
            bytes[..part].CopyTo(buffer.Pages.Span);
            bytes = bytes[part..];
            _output.Append(buffer, buffer.Pages.Memory[..part]);
        }

        ThrowIfFailed();
    }

    /// <summary>Waits until all blocks were appended.</summary>
    internal void Drain()
    {
        _submitted.End();
        foreach (Thread thread in _encoders) thread.Join();
        ThrowIfFailed();
    }

    /// <summary>Waits until everything was written.</summary>
    internal void Finish()
    {
        _output.Finish();
        ThrowIfFailed();
    }

    internal void Fail(Exception error)
    {
        Interlocked.CompareExchange(ref _failure, ExceptionDispatchInfo.Capture(error), null);
        _free.Abort();
        _submitted.Abort();
        _output.Abort();
        lock (_turnGate) Monitor.PulseAll(_turnGate);
    }

    /// <summary>Stops what still runs.</summary>
    public void Dispose()
    {
        _cancellation.Dispose();
        Fail(new ObjectDisposedException(nameof(ImageWriter)));
        foreach (Thread thread in _encoders) thread.Join();
        _output.Join();
        for (; _bufferCount > 0; _bufferCount--) _pool.Return(_buffers[_bufferCount - 1]!);
        if (_options.Pool is null) _pool.Dispose();
    }

    private void ThrowIfFailed() => Volatile.Read(ref _failure)?.Throw();

    private void EncodeAll()
    {
        using BlockEncoder encoder = new(_options.Encoding);
        while (_submitted.Take() is { } block)
        {
            EncodedBlock encoded = encoder.Encode(block);
            if (!AppendInOrder(block, encoded)) return;
        }
    }

    /// <summary>
    /// Blocks are taken in order, so whoever waits here waits for a thread that already encodes: no deadlock.
    /// </summary>
    private bool AppendInOrder(BlockBuffer block, EncodedBlock encoded)
    {
        lock (_turnGate)
        {
            while (_turn != block.Sequence && Volatile.Read(ref _failure) is null) Monitor.Wait(_turnGate);
            if (_turn != block.Sequence) return false;
        }

        _blocks.Add(new WrittenBlock(
            _output.Position, encoded.Checksum, encoded.StoredLength, (ushort)block.PageCount,
            encoded.Encoding,
            encoded.ElementSize));
        if (!_output.Append(block, encoded.Padded)) return false;
        lock (_turnGate)
        {
            _turn++;
            Monitor.PulseAll(_turnGate);
        }

        return true;
    }
}
