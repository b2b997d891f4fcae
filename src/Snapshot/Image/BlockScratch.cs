namespace Snapshot.Image;

/// <summary>
/// The buffers one thread needs to read blocks: a window of stored bytes, and room to decode.
/// </summary>
/// <remarks>
/// The window may be larger than a block: blocks are contiguous in the file, so whoever reads them in the
/// order of the file gets reads of that size. It also keeps the block decoded last. Not thread-safe.
/// </remarks>
internal sealed class BlockScratch : IDisposable
{
    /// <param name="windowBytes">Bytes of one read; at least, and by default, one block.</param>
    internal BlockScratch(int windowBytes = ImageFormat.BlockBytesMax)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(windowBytes, ImageFormat.BlockBytesMax);
        Window = new AlignedBuffer(windowBytes);
    }

    /// <summary>Stored bytes of consecutive blocks of <see cref="Owner"/>.</summary>
    internal AlignedBuffer Window { get; }

    internal AlignedBuffer Decoded { get; } = new(ImageFormat.BlockBytesMax);

    internal AlignedBuffer Unshuffled { get; } = new(ImageFormat.BlockBytesMax);

    /// <summary>Whose bytes are in the window, or null.</summary>
    internal ImageReader? Owner { get; set; }

    internal long WindowOffset { get; set; }

    internal int WindowFilled { get; set; }

    /// <summary>The block of <see cref="Owner"/> whose pages are <see cref="Current"/>, or -1.</summary>
    internal int CurrentBlock { get; set; } = -1;

    internal unsafe byte* Current { get; set; }

    public void Dispose()
    {
        Window.Dispose();
        Decoded.Dispose();
        Unshuffled.Dispose();
    }
}
