using Microsoft.Win32.SafeHandles;

namespace Snapshot.Image;

/// <summary>Where the bytes of an image come from. Thread-safe.</summary>
internal interface IImageSource : IDisposable
{
    /// <summary>For messages: the path of the file.</summary>
    public string Name { get; }

    /// <summary>Bytes.</summary>
    public long Length { get; }

    /// <summary>
    /// The open file, where the source is one that native code can read at the same offsets; else null.
    /// </summary>
    public SafeFileHandle? File => null;

    /// <summary>
    /// Reads exactly as many bytes as the destination holds; the caller stays within <see cref="Length"/>.
    /// Offset and length are multiples of 4096 and the destination is native and aligned to 4096. A failure
    /// is a <see cref="SnapshotException"/> with path and offset.
    /// </summary>
    public void Read(long offset, Span<byte> destination);
}
