using Snapshot.Image;

namespace Snapshot.Storage;

/// <summary>
/// Foretells the bytes of an increment from the pages that were tracked for it and from the images before.
/// </summary>
internal sealed class ImageEstimate
{
    // Header, index, footer, and what the index says apart from blocks.
    private const long Frame = 4 * ImageFormat.PageSize;

    // Of fewer pages the frame is most, and they say nothing of the others.
    private const long PagesFew = 64;

    private double _bytesPerPage = ImageFormat.PageSize * 1.01;
    private double _share = 1;

    internal long Bytes(long trackedPages) => Frame + (long)(trackedPages * _share * _bytesPerPage);

    /// <summary>An image was written.</summary>
    /// <param name="tracked">Pages that may have changed.</param>
    /// <param name="changed">Those of them that had.</param>
    /// <param name="image">What it took.</param>
    internal void Learn(long tracked, long changed, ImageSummary image)
    {
        // Tracking may be coarse, and then it tells little; but what it told lately may come again.
        if (tracked >= PagesFew) _share = Math.Clamp((double)changed / tracked, _share / 2, 1);
        if (image.PresentPages >= PagesFew) _bytesPerPage = (double)image.Length / image.PresentPages;
    }
}
