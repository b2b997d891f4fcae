using Snapshot.Base;

namespace Snapshot.Image;

/// <summary>Reads a run of present pages, as many at once as lie in one block.</summary>
/// <param name="image">Has the pages.</param>
/// <param name="scratch">What is read stays in it until the next piece.</param>
/// <param name="run">Which pages.</param>
internal ref struct RunReader(ImageReader image, BlockScratch scratch, ChainRun run)
{
    private readonly long _end = run.FirstOrdinal + run.PageCount;
    private long _ordinal = run.FirstOrdinal;
    private int _block = image.BlockOf(run.FirstOrdinal);

    /// <summary>The first page of the piece, in the region.</summary>
    internal long Page { get; private set; }

    /// <summary>The content of the piece: whole pages.</summary>
    internal ReadOnlySpan<byte> Content { get; private set; }

    /// <summary>Of what is in the piece, or 0.</summary>
    internal byte ElementSize { get; private set; }

    /// <summary>Reads the next piece; false: there is none.</summary>
    internal bool Next()
    {
        if (_ordinal >= _end) return false;
        ImageBlock block = image.Blocks[_block];
        int first = (int)(_ordinal - block.FirstOrdinal);
        int count = (int)Math.Min(block.PageCount - first, _end - _ordinal);
        Page = run.FirstPage + (_ordinal - run.FirstOrdinal);
        Content = image.ReadBlock(_block++, scratch).Slice(first * Pages.Size, count * Pages.Size);
        ElementSize = block.ElementSize;
        _ordinal += count;
        return true;
    }
}
