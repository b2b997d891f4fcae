using System.Collections.Concurrent;
using System.IO.Hashing;
using System.Runtime.InteropServices;
using Snapshot.Image;
using Snapshot.Mpi.Calls;
using Snapshot.Storage;

namespace Snapshot.Mpi.Levels;

/// <summary>
/// Receives from another rank what a store lacks of a generation, and commits each image as it is complete. A
/// thread writes the files; MPI is called by <see cref="Advance"/> alone, on the thread that polls.
/// </summary>
/// <remarks>
/// Whatever fails here, all messages of the plan are received: the sender sends them in any case.
/// </remarks>
/// <param name="ranks">Of the job.</param>
/// <param name="from">The rank that sends.</param>
/// <param name="store">Takes the images; open for writing.</param>
internal sealed unsafe class ImageReceiver(RankGroup ranks, int from, SnapshotStore store) : ILevelWork
{
    private readonly CancellationTokenSource _ending = new();
    private readonly MessageBuffer _plan = new(ImagePlan.PlanBytes);
    private readonly BlockingCollection<MessageBuffer> _free = [];
    private readonly BlockingCollection<MessageBuffer> _arrived = [];
    private readonly Queue<MessageBuffer> _receiving = [];
    private MessageBuffer? _have;
    private IEnumerator<int>? _expected;
    private bool _hasNext;
    private Task? _writing;
    private Exception? _error;
    private long _done;
    private long _total;

    public Exception? Error => _error;

    public (long Done, long Total) Bytes => (Interlocked.Read(ref _done), Interlocked.Read(ref _total));

    public bool Advance()
    {
        if (!TryListen()) return false;
        while (_receiving.TryPeek(out MessageBuffer? received) && ranks.Test(received.Request))
        {
            received.Request = -1;
            _arrived.Add(_receiving.Dequeue());
        }

        while (_hasNext && _receiving.Count < ImagePlan.PiecesOpen && TryReceive(_expected!.Current))
            _hasNext = _expected.MoveNext();
        if (_hasNext || _receiving.Count > 0) return false;
        if (!_arrived.IsAddingCompleted) _arrived.CompleteAdding();
        return _writing!.IsCompleted;
    }

    public void Dispose()
    {
        _ending.Cancel();
        if (_writing is not null) Task.WhenAny(_writing).GetAwaiter().GetResult();
        _have?.Dispose();
        foreach (MessageBuffer buffer in (MessageBuffer[])[_plan, .. _free, .. _arrived, .. _receiving])
            buffer.Dispose();
        _expected?.Dispose();
        _free.Dispose();
        _arrived.Dispose();
        _ending.Dispose();
    }

    /// <summary>Says what the store has, and waits for the plan; true when it is there.</summary>
    private bool TryListen()
    {
        if (_have is null)
        {
            if (!ranks.TryReceive(_plan.Memory.Pointer, _plan.Length, from, ImagePlan.Tag, out int open))
                return false;
            _plan.Request = open;
            IReadOnlyList<StoredImage> images = store.Images;
            _have = MessageBuffer.Of((long)images.Count, MemoryMarshal.AsBytes(images.ToArray().AsSpan()));
        }

        if (_have.Request < 0 && _expected is null)
        {
            if (!ranks.TrySend(_have.Memory.Pointer, _have.Length, from, ImagePlan.HaveTag, out int sent))
                return false;
            _have.Request = sent;
        }

        return _expected is not null || TryBegin();
    }

    private bool TryBegin()
    {
        // The plan is the answer to what was said, so that was received.
        if (!ranks.Test(_plan.Request)) return false;
        _plan.Request = -1;
        while (!ranks.Test(_have!.Request)) { }
        _have.Request = -1;
        PlanHeader header = MemoryMarshal.Read<PlanHeader>(_plan.Message);
        StoredImage[] images = MemoryMarshal.Cast<byte, StoredImage>(
            _plan.Message[Marshal.SizeOf<PlanHeader>()..])[..(int)Math.Max(0, header.Count)].ToArray();
        if (header.Count < 0)
        {
            _error = new SnapshotException(
                SnapshotErrorCode.NotFound, $"Rank {from} does not have the images that it was to send.");
        }

        Interlocked.Exchange(ref _total, images.Sum(image => image.FileBytes));
        ImagePlan.Fill(_free, images);
        _expected = Messages(images).GetEnumerator();
        _hasNext = _expected.MoveNext();
        _writing = Task.Run(() => Write(images, header.Anew != 0));
        return true;
    }

    /// <summary>The lengths of the messages to come; 0 is a seal.</summary>
    private static IEnumerable<int> Messages(StoredImage[] images) => images.SelectMany(
        image => ImagePlan.Pieces(image.FileBytes).Select(piece => piece.Length).Append(0));

    private bool TryReceive(int length)
    {
        MessageBuffer? message;
        if (length == 0) message = new MessageBuffer(Marshal.SizeOf<ImageSeal>());
        else if (!_free.TryTake(out message)) return false;
        if (length > 0) message.Length = length;
        bool isOpen = ranks.TryReceive(
            message.Memory.Pointer, message.Length, from, ImagePlan.Tag, out int request);
        message.Request = request;
        if (isOpen) _receiving.Enqueue(message);
        else message.Release();
        return isOpen;
    }

    private void Write(StoredImage[] images, bool anew)
    {
        try
        {
            if (anew) _error ??= ThrownBy.Part(() => store.DropAbove(0));
            foreach (StoredImage image in images) Store(image);
        }
        catch (OperationCanceledException) when (_ending.IsCancellationRequested)
        {
            // Nobody waits for the rest.
        }
    }

    private void Store(StoredImage image)
    {
        ImageCopy? copy = null;
        _error ??= ThrownBy.Part(() => copy = store.BeginCopy(image));
        try
        {
            XxHash3 hash = new();
            foreach ((long offset, _) in ImagePlan.Pieces(image.FileBytes))
            {
                MessageBuffer piece = _arrived.Take(_ending.Token);
                hash.Append(piece.Message);
                _error ??= ThrownBy.Part(() => copy!.Write(piece.Message, offset));
                Interlocked.Add(ref _done, piece.Length);
                piece.Release();
            }

            using MessageBuffer last = _arrived.Take(_ending.Token);
            ImageSeal seal = MemoryMarshal.Read<ImageSeal>(last.Message);
            _error ??= ThrownBy.Part(() => Commit(copy!, seal, hash.GetCurrentHashAsUInt64()));
        }
        finally
        {
            if (copy is not null) store.AbandonCopy(copy);
        }
    }

    private void Commit(ImageCopy copy, ImageSeal seal, ulong hash)
    {
        if (seal.IsGood == 0 || seal.Hash != hash)
        {
            throw ImageErrors.Corrupt(
                Path.Combine(store.Directory, copy.FileName), 0,
                seal.IsGood == 0
                    ? $"rank {from} could not read all of the image that it sent"
                    : $"what came is not what rank {from} has read");
        }

        copy.Complete();
        store.CommitCopy(copy);
    }
}
