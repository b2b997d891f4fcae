namespace Snapshot.Image;

/// <summary>
/// The last stage of writing: collects bytes in large aligned buffers and keeps several writes in flight. One thread
/// at a time appends.
/// </summary>
internal sealed class ImageOutput : IDisposable
{
    private readonly IImageSink _sink;
    private readonly Action<Exception> _fail;
    private readonly WriteBuffer[] _buffers;
    private readonly HandoverQueue<WriteBuffer> _free;
    private readonly HandoverQueue<WriteBuffer> _full;
    private readonly Thread[] _writers;
    private WriteBuffer? _current;

    internal ImageOutput(IImageSink sink, int writeBytes, int writesInFlight, Action<Exception> fail)
    {
        _sink = sink;
        _fail = fail;
        // One buffer per write in flight, one being filled, one to spare so that filling does not wait for the
        // slowest write.
        _buffers = new WriteBuffer[writesInFlight + 2];
        _free = new HandoverQueue<WriteBuffer>(_buffers.Length);
        _full = new HandoverQueue<WriteBuffer>(_buffers.Length);
        for (int i = 0; i < _buffers.Length; i++) _free.Add(_buffers[i] = new WriteBuffer(writeBytes));
        _writers = new Thread[writesInFlight];
        for (int i = 0; i < writesInFlight; i++)
        {
            _writers[i] = new Thread(WriteAll) { IsBackground = true, Name = "snapshot image write" };
            _writers[i].Start();
        }
    }

    /// <summary>Bytes appended so far: the offset of the next append.</summary>
    internal long Position { get; private set; }

    /// <summary>Copies the bytes, a multiple of a page. Returns false when the writing was aborted.</summary>
    internal bool Append(ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            WriteBuffer? buffer = _current ?? _free.Take();
            if (buffer is null) return false;
            if (_current is null)
            {
                buffer.Offset = Position;
                buffer.Filled = 0;
                _current = buffer;
            }

            int part = Math.Min(bytes.Length, buffer.Memory.Length - buffer.Filled);
            bytes[..part].CopyTo(buffer.Memory.Span[buffer.Filled..]);
            bytes = bytes[part..];
            buffer.Filled += part;
            Position += part;
            if (buffer.Filled == buffer.Memory.Length) Hand();
        }

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
    }

    internal void Join()
    {
        foreach (Thread writer in _writers) writer.Join();
    }

    /// <summary>Only after the writers ended.</summary>
    public void Dispose()
    {
        foreach (WriteBuffer buffer in _buffers) buffer.Memory.Dispose();
    }

    private void Hand()
    {
        _full.Add(_current!);
        _current = null;
    }

    private void WriteAll()
    {
        try
        {
            while (_full.Take() is { } buffer)
            {
                _sink.Write(buffer.Memory.Span[..buffer.Filled], buffer.Offset);
                _free.Add(buffer);
            }
        }
        catch (Exception error) // Whatever it is, it is rethrown on the thread that appends.
        {
            _fail(error);
        }
    }

    private sealed class WriteBuffer(int length)
    {
        internal AlignedBuffer Memory { get; } = new(length);

        internal long Offset { get; set; }

        internal int Filled { get; set; }
    }
}
