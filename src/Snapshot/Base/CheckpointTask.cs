namespace Snapshot.Base;

/// <summary>What threads of the library do for a checkpoint.</summary>
internal enum CheckpointTask
{
    /// <summary>
    /// The checkpoint thread: finding changed pages, copying before and in the pause, the pause, the commit.
    /// </summary>
    Capture,

    /// <summary>Reading and hashing the pages of the image.</summary>
    Drain,

    /// <summary>Encoding blocks, and their checksums.</summary>
    Encode,

    /// <summary>Writing the file.</summary>
    Write,
}
