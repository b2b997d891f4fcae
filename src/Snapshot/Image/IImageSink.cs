namespace Snapshot.Image;

/// <summary>Where the bytes of an image go. Thread-safe for disjoint ranges.</summary>
internal interface IImageSink
{
    /// <summary>For messages: the path of the file.</summary>
    public string Name { get; }

    /// <summary>
    /// Writes all segments, one after the other. Offset and lengths are multiples of 4096 and the memory is
    /// native and aligned to 4096, as direct I/O wants it. A failure is a <see cref="SnapshotException"/>
    /// with path and offset.
    /// </summary>
    public void Write(IReadOnlyList<ReadOnlyMemory<byte>> segments, long offset);
}
