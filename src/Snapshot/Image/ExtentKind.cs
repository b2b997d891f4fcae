namespace Snapshot.Image;

/// <summary>
/// Where the content of the pages of an extent is. The values are part of the format, do not renumber.
/// </summary>
internal enum ExtentKind : byte
{
    /// <summary>In the parent image, in the region with the same id, at the same pages.</summary>
    InParent = 0,

    /// <summary>In this image.</summary>
    Present = 1,

    /// <summary>Nowhere: the pages read as zero.</summary>
    Zero = 2,

    /// <summary>Not saved; the pages read as zero after a restart.</summary>
    Excluded = 3,
}
