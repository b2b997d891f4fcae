using System.IO.Hashing;
using System.Runtime.ExceptionServices;

namespace Snapshot.Image;

/// <summary>Pages of one block on their way to an encoder.</summary>
internal sealed class BlockInput : IDisposable
{
    internal AlignedBuffer Pages { get; } = new(ImageFormat.BlockBytesMax);

    internal int Sequence { get; set; }

    internal int PageCount { get; set; }

    /// <summary>The element size that all its pages have in common, or 0.</summary>
    internal int ElementSize { get; set; }

    public void Dispose() => Pages.Dispose();
}

/// <summary>
/// Copied pages -> encoder threads -> appended in order -> writer threads. All buffers exist from the start and go
/// round, which bounds the memory and makes a slow disk hold back the producer. The first failure of any stage, or
/// the cancellation, stops all stages and is thrown to the producer.
/// </summary>
internal sealed unsafe class BlockPipeline : IDisposable
{
    private readonly ImageOutput _output;
    private readonly BlockInput[] _inputs;
    private readonly HandoverQueue<BlockInput> _free;
    private readonly HandoverQueue<BlockInput> _submitted;
    private readonly Thread[] _encoderThreads;
    private readonly BlockEncoder[] _encoders;
    private readonly List<WrittenBlock> _blocks = [];
    private readonly CancellationTokenRegistration _cancellation;
    private ExceptionDispatchInfo? _failure;

    /// <summary>
    /// Guards <see cref="_turn"/>: the sequence of the block that may be appended next. Its thread alone appends.
    /// </summary>
    private readonly object _turnGate = new();
    private int _turn;
    private int _submittedCount;

    internal BlockPipeline(IImageSink sink, ImageWriterOptions options, CancellationToken cancellation)
    {
        _output = new ImageOutput(sink, options.WriteBytes, options.WritesInFlight, Fail);
        _inputs = new BlockInput[2 * options.EncoderThreads + 2];
        _free = new HandoverQueue<BlockInput>(_inputs.Length);
        _submitted = new HandoverQueue<BlockInput>(_inputs.Length);
        for (int i = 0; i < _inputs.Length; i++) _free.Add(_inputs[i] = new BlockInput());
        _encoders = new BlockEncoder[options.EncoderThreads];
        _encoderThreads = new Thread[options.EncoderThreads];
        for (int i = 0; i < _encoders.Length; i++)
        {
            BlockEncoder encoder = _encoders[i] = new BlockEncoder(options.Encoding);
            _encoderThreads[i] =
                new Thread(() => EncodeAll(encoder)) { IsBackground = true, Name = "snapshot image encode" };
            _encoderThreads[i].Start();
        }

        _cancellation = cancellation.Register(() => Fail(new OperationCanceledException(cancellation)));
    }

    /// <summary>In the order of the file, which is that of submission. Complete after <see cref="Drain"/>.</summary>
    internal List<WrittenBlock> Blocks => _blocks;

    /// <summary>Blocks submitted so far: the sequence of the next.</summary>
    internal int SubmittedCount => _submittedCount;

    internal long Position => _output.Position;

    /// <summary>An empty block; waits for one when all are on their way.</summary>
    internal BlockInput Rent()
    {
        BlockInput? input = _free.Take();
        ThrowIfFailed();
        input!.PageCount = 0;
        return input;
    }

    /// <returns>The sequence of the block.</returns>
    internal int Submit(BlockInput input)
    {
        int sequence = input.Sequence = _submittedCount++;
        _submitted.Add(input);
        return sequence;
    }

    /// <summary>Bytes that are no block: before the first one was submitted, or after <see cref="Drain"/>.</summary>
    internal void AppendDirectly(ReadOnlySpan<byte> bytes)
    {
        _output.Append(bytes);
        ThrowIfFailed();
    }

    /// <summary>Waits until all blocks were appended.</summary>
    internal void Drain()
    {
        _submitted.End();
        foreach (Thread thread in _encoderThreads) thread.Join();
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
        foreach (Thread thread in _encoderThreads) thread.Join();
        _output.Join();
        _output.Dispose();
        foreach (BlockEncoder encoder in _encoders) encoder.Dispose();
        foreach (BlockInput input in _inputs) input.Dispose();
    }

    private void ThrowIfFailed() => Volatile.Read(ref _failure)?.Throw();

    private void EncodeAll(BlockEncoder encoder)
    {
        try
        {
            while (_submitted.Take() is { } input)
            {
                EncodedBlock block = encoder.Encode(
                    input.Pages.Pointer, input.PageCount * ImageFormat.PageSize, input.ElementSize);
                ulong checksum = XxHash3.HashToUInt64(block.Padded);
                if (!AppendInOrder(input, block, checksum)) return;
                _free.Add(input);
            }
        }
        catch (Exception error) // Whatever it is, it is rethrown on the thread that appends.
        {
            Fail(error);
        }
    }

    /// <summary>
    /// Blocks are taken in order, so whoever waits here waits for a thread that already encodes: no deadlock.
    /// </summary>
    private bool AppendInOrder(BlockInput input, EncodedBlock block, ulong checksum)
    {
        lock (_turnGate)
        {
            while (_turn != input.Sequence && Volatile.Read(ref _failure) is null) Monitor.Wait(_turnGate);
            if (_turn != input.Sequence) return false;
        }

        _blocks.Add(new WrittenBlock(
            _output.Position, checksum, block.StoredLength, (ushort)input.PageCount, block.Encoding,
            block.ElementSize));
        if (!_output.Append(block.Padded)) return false;
        lock (_turnGate)
        {
            _turn++;
            Monitor.PulseAll(_turnGate);
        }

        return true;
    }
}
