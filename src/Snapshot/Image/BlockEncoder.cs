using K4os.Compression.LZ4;
using Snapshot.Base;

namespace Snapshot.Image;

/// <summary>A block as it goes to the file; the bytes are in the buffer that was encoded.</summary>
/// <param name="Padded">The stored bytes, padded with zeros to whole pages.</param>
/// <param name="StoredLength">Bytes without the padding.</param>
/// <param name="Encoding">How they are encoded.</param>
/// <param name="ElementSize">By which they were shuffled, or 0.</param>
internal readonly record struct EncodedBlock(
    ReadOnlyMemory<byte> Padded, int StoredLength, StoredEncoding Encoding, byte ElementSize);

/// <summary>Encodes blocks, one at a time; one encoder a thread. Allocates nothing per block.</summary>
internal sealed unsafe class BlockEncoder(BlockEncoding policy) : IDisposable
{
    private const int SamplePages = 4;

    private readonly AlignedBuffer _shuffled = new(ImageFormat.BlockBytesMax);
    private readonly AlignedBuffer _sample = new(SamplePages * ImageFormat.PageSize);

    internal static bool IsElementSize(int size) => size is 2 or 4 or 8 or 16;

    /// <summary>Encodes the pages of a block; an element size of other than 2, 4, 8 or 16 is not known.</summary>
    internal EncodedBlock Encode(BlockBuffer block)
    {
        (StoredEncoding encoding, int element) = Choose(block);
        if (encoding != StoredEncoding.Plain)
        {
            // What does not fit into one page less is no gain, for the file is made of pages.
            AlignedBuffer target = block.Encoded;
            int stored = Compress(
                block.Pages.Pointer, block.Length, element, target.Pointer, block.Length - ImageFormat.PageSize);
            if (stored > 0)
            {
                int padded = (int)Pages.AlignUp(stored, ImageFormat.PageSize);
                target.Span[stored..padded].Clear();
                return new EncodedBlock(target.Memory[..padded], stored, encoding, (byte)element);
            }
        }

        return new EncodedBlock(block.Pages.Memory[..block.Length], block.Length, StoredEncoding.Plain, 0);
    }

    public void Dispose()
    {
        _shuffled.Dispose();
        _sample.Dispose();
    }

    private (StoredEncoding Encoding, int ElementSize) Choose(BlockBuffer block) => policy switch
    {
        _ when block.PageCount <= 1 => (StoredEncoding.Plain, 0),
        BlockEncoding.None => (StoredEncoding.Plain, 0),
        BlockEncoding.Lz4 => (StoredEncoding.Lz4, 0),
        BlockEncoding.ShuffleLz4 =>
            (StoredEncoding.ShuffleLz4, IsElementSize(block.ElementSize) ? block.ElementSize : 8),
        _ => ChooseBySample(block),
    };

    /// <summary>
    /// Tries what is plausible on a few pages from all over the block; a gain below 1/16 is not worth the time.
    /// </summary>
    private (StoredEncoding Encoding, int ElementSize) ChooseBySample(BlockBuffer block)
    {
        int sampleLength = TakeSample(block);
        byte* target = block.Encoded.Pointer;
        int best = sampleLength - sampleLength / 16;
        (StoredEncoding, int) choice = (StoredEncoding.Plain, 0);
        Try(0, ref best, ref choice);
        if (IsElementSize(block.ElementSize))
        {
            Try(block.ElementSize, ref best, ref choice);
        }
        else
        {
            Try(8, ref best, ref choice);
            Try(4, ref best, ref choice);
        }

        return choice;

        void Try(int element, ref int best, ref (StoredEncoding, int) choice)
        {
            int stored = Compress(_sample.Pointer, sampleLength, element, target, best - 1);
            if (stored <= 0) return;
            best = stored;
            choice = (element == 0 ? StoredEncoding.Lz4 : StoredEncoding.ShuffleLz4, element);
        }
    }

    private int TakeSample(BlockBuffer block)
    {
        int count = Math.Min(SamplePages, block.PageCount);
        for (int i = 0; i < count; i++)
        {
            int page = i * block.PageCount / count;
            block.Pages.Span.Slice(page * ImageFormat.PageSize, ImageFormat.PageSize)
                .CopyTo(_sample.Span[(i * ImageFormat.PageSize)..]);
        }

        return count * ImageFormat.PageSize;
    }

    /// <returns>The encoded length, or less than 1 when it would exceed <paramref name="most"/>.</returns>
    private int Compress(byte* source, int length, int elementSize, byte* target, int most)
    {
        if (elementSize != 0)
        {
            ByteShuffle.Shuffle(source, _shuffled.Pointer, length, elementSize);
            source = _shuffled.Pointer;
        }

        return LZ4Codec.Encode(source, length, target, most, LZ4Level.L00_FAST);
    }
}
