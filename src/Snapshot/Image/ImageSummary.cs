namespace Snapshot.Image;

/// <summary>What was written.</summary>
/// <param name="Length">Bytes of the file.</param>
/// <param name="IndexChecksum">Determines every byte of the file.</param>
/// <param name="PresentPages">Pages whose content is in the file.</param>
/// <param name="StoredBytes">Bytes of the blocks, encoded, with padding.</param>
/// <param name="BlockCount">Blocks.</param>
internal sealed record ImageSummary(
    long Length, ulong IndexChecksum, long PresentPages, long StoredBytes, int BlockCount);
