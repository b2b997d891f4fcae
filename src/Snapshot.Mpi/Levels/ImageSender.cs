using System.Collections.Concurrent;
using System.IO.Hashing;
using System.Runtime.InteropServices;
using Snapshot.Mpi.Calls;
using Snapshot.Storage;

namespace Snapshot.Mpi.Levels;

/// <summary>
/// Sends to another rank what its store lacks of a generation. A thread reads the files; MPI is called by
/// <see cref="Advance"/> alone, on the thread that polls.
/// </summary>
/// <remarks>
/// Whatever fails here, all messages of the plan are sent, with the seal of an image that could not be read
/// as not good: the receiver waits for them.
/// </remarks>
/// <param name="ranks">Of the job.</param>
/// <param name="to">The rank that stores the images.</param>
/// <param name="open">Opens the images of the chain, the oldest first; null where they are not there.</param>
/// <param name="pace">How fast.</param>
internal sealed unsafe class ImageSender(
    RankGroup ranks, int to, Func<IReadOnlyList<ImageFile>?> open, Pace pace) : ILevelWork
{
    private readonly CancellationTokenSource _ending = new();
    private readonly MessageBuffer _have = new(ImagePlan.HaveBytes);
    private readonly BlockingCollection<MessageBuffer> _free = [];
    private readonly ConcurrentQueue<MessageBuffer> _ready = [];
    private readonly Queue<MessageBuffer> _sending = [];
    private Task? _reading;
    private bool _isListening;
    private Exception? _error;
    private long _done;
    private long _total;

    public Exception? Error => _error;

    public (long Done, long Total) Bytes => (Interlocked.Read(ref _done), Interlocked.Read(ref _total));

    public bool Advance()
    {
        if (_reading is null && !TryStart()) return false;
        while (_sending.TryPeek(out MessageBuffer? sent) && ranks.Test(sent.Request))
        {
            sent.Request = -1;
            _sending.Dequeue().Release();
        }

        while (_sending.Count < ImagePlan.PiecesOpen && _ready.TryPeek(out MessageBuffer? next))
        {
            if (!ranks.TrySend(next.Memory.Pointer, next.Length, to, ImagePlan.Tag, out int request)) break;
            next.Request = request;
            _ready.TryDequeue(out _);
            _sending.Enqueue(next);
        }

        return _reading!.IsCompleted && _ready.IsEmpty && _sending.Count == 0;
    }

    public void Dispose()
    {
        _ending.Cancel();
        if (_reading is not null) Task.WhenAny(_reading).GetAwaiter().GetResult();
        foreach (MessageBuffer buffer in (MessageBuffer[])[_have, .. _free, .. _ready, .. _sending])
            buffer.Dispose();
        _free.Dispose();
        _ending.Dispose();
    }

    /// <summary>When the receiver has said what it has, reading begins.</summary>
    private bool TryStart()
    {
        if (!_isListening)
        {
            _isListening = ranks.TryReceive(
                _have.Memory.Pointer, _have.Length, to, ImagePlan.HaveTag, out int request);
            _have.Request = request;
        }

        if (!_isListening || !ranks.Test(_have.Request)) return false;
        _have.Request = -1;
        int count = (int)MemoryMarshal.Read<long>(_have.Message);
        StoredImage[] had =
            MemoryMarshal.Cast<byte, StoredImage>(_have.Message[sizeof(long)..])[..count].ToArray();
        _reading = Task.Run(() => Read(had));
        return true;
    }

    private void Read(StoredImage[] had)
    {
        IReadOnlyList<ImageFile>? files = null;
        _error = ThrownBy.Part(() => files = open());
        try
        {
            Send(files, had);
        }
        catch (OperationCanceledException) when (_ending.IsCancellationRequested)
        {
            // Nobody waits for the rest.
        }
        finally
        {
            foreach (ImageFile file in files ?? []) file.Dispose();
        }
    }

    private void Send(IReadOnlyList<ImageFile>? files, StoredImage[] had)
    {
        if (files is null)
        {
            _ready.Enqueue(MessageBuffer.Of(new PlanHeader(-1, 0)));
            return;
        }

        (int first, bool anew) = ImagePlan.Missing([.. files.Select(file => file.Image)], had);
        StoredImage[] images = [.. files.Skip(first).Select(file => file.Image)];
        Interlocked.Exchange(ref _total, images.Sum(image => image.FileBytes));
        _ready.Enqueue(MessageBuffer.Of(
            new PlanHeader(images.Length, anew ? 1 : 0), MemoryMarshal.AsBytes(images.AsSpan())));
        ImagePlan.Fill(_free, images);
        foreach (ImageFile file in files.Skip(first)) Send(file);
    }

    private void Send(ImageFile file)
    {
        XxHash3 hash = new();
        foreach ((long offset, int length) in ImagePlan.Pieces(file.Image.FileBytes))
        {
            pace.Wait(length, _ending.Token);
            MessageBuffer piece = _free.Take(_ending.Token);
            piece.Length = length;
            _error ??= ThrownBy.Part(() => file.File.Read(offset, piece.Message));
            hash.Append(piece.Message);
            _ready.Enqueue(piece);
            Interlocked.Add(ref _done, length);
        }

        _ready.Enqueue(
            MessageBuffer.Of(new ImageSeal(_error is null ? 1 : 0, hash.GetCurrentHashAsUInt64())));
    }
}
