namespace Snapshot.Image;

/// <summary>A block as it was written. Its place in the page stream may not be known yet.</summary>
internal readonly record struct WrittenBlock(
    long Offset, ulong Checksum, int StoredLength, ushort PageCount, StoredEncoding Encoding,
    byte ElementSize);
