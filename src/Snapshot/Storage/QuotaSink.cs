using Snapshot.Base;
using Snapshot.Image;

namespace Snapshot.Storage;

/// <summary>Refuses what goes beyond the store's own quota, as a file system does with its quota.</summary>
internal sealed class QuotaSink(IStoreFile file, long bytesMost) : IImageSink
{
    public string Name => file.Name;

    public void Write(IReadOnlyList<ReadOnlyMemory<byte>> segments, long offset)
    {
        long end = offset + segments.Sum(segment => (long)segment.Length);
        if (end > bytesMost) throw StoreErrors.Io("writing", Name, offset, Errno.QuotaExceeded);
        file.Write(segments, offset);
    }
}
