namespace Snapshot.Image;

/// <summary>What a reader allocates at most for an image it does not trust.</summary>
internal sealed class ImageLimits
{
    internal static readonly ImageLimits Default = new();

    /// <value>
    /// Bytes of the index; default 1 GiB. All structures parsed from it take a small multiple of that.
    /// </value>
    internal int IndexBytesMax
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, ImageFormat.PageSize);
            field = value;
        }
    } = 1 << 30;
}
