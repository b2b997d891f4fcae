namespace Snapshot.Image;

/// <summary>How one block is stored. The values are part of the format, do not renumber.</summary>
internal enum StoredEncoding : byte
{
    Plain = 0,
    Lz4 = 1,
    ShuffleLz4 = 2,
    DifferenceShuffleLz4 = 3,

    /// <summary>As plain; the checksum is that of the hashes of the pages.</summary>
    PlainByPage = 4,
}
