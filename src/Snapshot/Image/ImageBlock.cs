namespace Snapshot.Image;

/// <summary>One block of an image as the index has it.</summary>
/// <param name="Offset">Where in the file.</param>
/// <param name="Checksum">Of the stored bytes and their padding.</param>
/// <param name="FirstOrdinal">The place of its first page in the page stream.</param>
/// <param name="StoredLength">Bytes, without padding.</param>
/// <param name="PageCount">1 to 64.</param>
/// <param name="Encoding">How it is stored.</param>
/// <param name="ElementSize">By which it was shuffled, or 0.</param>
internal readonly record struct ImageBlock(
    long Offset, ulong Checksum, long FirstOrdinal, int StoredLength, ushort PageCount,
    StoredEncoding Encoding,
    byte ElementSize);
