namespace Snapshot;

/// <summary>
/// How the blocks of an image are encoded. The choice is made per block and recorded; a block that would not
/// shrink is stored plain.
/// </summary>
public enum BlockEncoding
{
    /// <summary>
    /// LZ4, of the shuffled bytes or of shuffled differences of neighbouring elements where a trial shows a
    /// gain; plain where a trial shows none.
    /// </summary>
    Auto = 0,

    /// <summary>Plain: no processor time, no gain.</summary>
    None,

    /// <summary>LZ4 of the bytes as they are.</summary>
    Lz4,

    /// <summary>
    /// LZ4 of the bytes shuffled by the element size, by 8 where it is not known, or of the shuffled
    /// differences of neighbouring elements where a trial shows a gain. For floating-point fields.
    /// </summary>
    ShuffleLz4,
}
