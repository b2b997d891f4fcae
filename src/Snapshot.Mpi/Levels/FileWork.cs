using Snapshot.Image;
using Snapshot.Mpi.Calls;
using Snapshot.Storage;

namespace Snapshot.Mpi.Levels;

/// <summary>
/// Copies what a store lacks of a generation from files that this process can read, in a thread of its own.
/// </summary>
internal sealed class FileWork : ILevelWork
{
    private readonly CancellationTokenSource _ending = new();
    private readonly SnapshotStore _store;
    private readonly Pace _pace;
    private readonly Task _copying;
    private long _done;
    private long _total;

    /// <param name="open">Opens the images of the chain, the oldest first.</param>
    /// <param name="store">Takes them; open for writing.</param>
    /// <param name="pace">How fast.</param>
    internal FileWork(Func<IReadOnlyList<ImageFile>> open, SnapshotStore store, Pace pace)
    {
        (_store, _pace) = (store, pace);
        _copying = Task.Run(() => { Error = ThrownBy.Part(() => Copy(open())); });
    }

    public Exception? Error { get; private set; }

    public (long Done, long Total) Bytes => (Interlocked.Read(ref _done), Interlocked.Read(ref _total));

    public bool Advance() => _copying.IsCompleted;

    public void Dispose()
    {
        _ending.Cancel();
        _copying.Wait();
        _ending.Dispose();
    }

    private void Copy(IReadOnlyList<ImageFile> files)
    {
        try
        {
            (int first, bool anew) = ImagePlan.Missing(
                [.. files.Select(file => file.Image)], _store.Images);
            if (anew) _store.DropAbove(0);
            Interlocked.Exchange(ref _total, files.Skip(first).Sum(file => file.Image.FileBytes));
            foreach (ImageFile file in files.Skip(first)) Copy(file);
        }
        finally
        {
            foreach (ImageFile file in files) file.Dispose();
        }
    }

    private void Copy(ImageFile file)
    {
        using AlignedBuffer buffer = new((int)Math.Min(ImagePlan.PieceBytes, file.Image.FileBytes));
        ImageCopy copy = _store.BeginCopy(file.Image);
        try
        {
            foreach ((long offset, int length) in ImagePlan.Pieces(file.Image.FileBytes))
            {
                _pace.Wait(length, _ending.Token);
                file.File.Read(offset, buffer.Span[..length]);
                copy.Write(buffer.Span[..length], offset);
                Interlocked.Add(ref _done, length);
            }

            copy.Complete();
            _store.CommitCopy(copy);
        }
        finally
        {
            _store.AbandonCopy(copy);
        }
    }
}
