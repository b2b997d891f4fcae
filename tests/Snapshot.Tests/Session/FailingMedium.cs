using Snapshot.Storage;

namespace Snapshot.Tests.Session;

/// <summary>A directory whose files fail on command, as a disk does that is full or gone.</summary>
internal sealed class FailingMedium(IStoreMedium inner) : IStoreMedium
{
    /// <summary>Says of a step ("write" or "sync") on a file whether it fails.</summary>
    internal Func<string, string, bool> Fails { get; set; } = (_, _) => false;

    /// <summary>Called before a file is opened for reading.</summary>
    internal Action<string> Opening { get; set; } = _ => { };

    public string Location => inner.Location;

    public long? FreeBytes => inner.FreeBytes;

    public void CreateLocation() => inner.CreateLocation();

    public IStoreLock Lock(string name) => inner.Lock(name);

    public IReadOnlyList<string> List() => inner.List();

    public IStoreFile Create(string name, bool direct) => new FailingFile(this, inner.Create(name, direct));

    public IStoreFile OpenForUpdate(string name) => new FailingFile(this, inner.OpenForUpdate(name));

    public IStoreFile OpenForReading(string name)
    {
        Opening(name);
        return inner.OpenForReading(name);
    }

    public void Rename(string from, string to) => inner.Rename(from, to);

    public void Delete(string name) => inner.Delete(name);

    public void SyncDirectory() => inner.SyncDirectory();

    public void Dispose() => inner.Dispose();

    private void Pass(string step, string path)
    {
        if (!Fails(step, Path.GetFileName(path))) return;
        throw new SnapshotException(SnapshotErrorCode.StoreIo, $"{path}: the test lets this {step} fail.")
        { Path = path, Step = step };
    }

    private sealed class FailingFile(FailingMedium medium, IStoreFile inner) : IStoreFile
    {
        public string Name => inner.Name;

        public bool DirectIo => inner.DirectIo;

        public long Length => inner.Length;

        public void Read(long offset, Span<byte> destination) => inner.Read(offset, destination);

        public void Write(ReadOnlySpan<byte> bytes, long offset)
        {
            medium.Pass("write", Name);
            inner.Write(bytes, offset);
        }

        public void Write(IReadOnlyList<ReadOnlyMemory<byte>> segments, long offset)
        {
            medium.Pass("write", Name);
            inner.Write(segments, offset);
        }

        public void Sync()
        {
            medium.Pass("sync", Name);
            inner.Sync();
        }

        public void Dispose() => inner.Dispose();
    }
}
