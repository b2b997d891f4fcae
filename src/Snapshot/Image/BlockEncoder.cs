using System.Diagnostics;
using K4os.Compression.LZ4;
using Snapshot.Base;

namespace Snapshot.Image;

/// <summary>A block as it goes to the file; the bytes are in the buffer that was encoded.</summary>
/// <param name="Padded">The stored bytes, padded with zeros to whole pages.</param>
/// <param name="StoredLength">Bytes without the padding.</param>
/// <param name="Encoding">How they are encoded.</param>
/// <param name="ElementSize">By which they were shuffled, or 0.</param>
/// <param name="Checksum">As <see cref="BlockChecksum"/> has it.</param>
internal readonly record struct EncodedBlock(
    ReadOnlyMemory<byte> Padded, int StoredLength, StoredEncoding Encoding, byte ElementSize, ulong Checksum);

/// <summary>Encodes blocks, one at a time; one encoder a thread. Allocates nothing per block.</summary>
internal sealed unsafe class BlockEncoder(BlockEncoding policy) : IDisposable
{
    private const int SamplePages = 4;

    private readonly AlignedBuffer _differences = new(ImageFormat.BlockBytesMax);
    private readonly AlignedBuffer _shuffled = new(ImageFormat.BlockBytesMax);
    private readonly AlignedBuffer _sample = new(SamplePages * ImageFormat.PageSize);

    internal static bool IsElementSize(int size) => size is 2 or 4 or 8 or 16;

    /// <summary>
    /// Encodes the pages of a block; an element size of other than 2, 4, 8 or 16 is not known.
    /// </summary>
    internal EncodedBlock Encode(BlockBuffer block)
    {
        Choice choice = Choose(block);
        if (choice.Encoding != StoredEncoding.Plain)
        {
            // What does not fit into one page less is no gain, for the file is made of pages.
            AlignedBuffer target = block.Encoded;
            int stored = Compress(
                block.Pages.Pointer, block.Length, choice, target.Pointer,
                block.Length - ImageFormat.PageSize);
            if (stored > 0)
            {
                int padded = (int)Pages.AlignUp(stored, ImageFormat.PageSize);
                target.Span[stored..padded].Clear();
                return new EncodedBlock(
                    target.Memory[..padded], stored, choice.Encoding, (byte)choice.ElementSize,
                    BlockChecksum.OfBytes(target.Span[..padded]));
            }
        }

        return new EncodedBlock(
            block.Pages.Memory[..block.Length], block.Length, StoredEncoding.PlainByPage, 0,
            ChecksumOfPages(block));
    }

    public void Dispose()
    {
        _differences.Dispose();
        _shuffled.Dispose();
        _sample.Dispose();
    }

    private Choice Choose(BlockBuffer block) => policy switch
    {
        _ when block.PageCount <= 1 => default,
        BlockEncoding.None => default,
        BlockEncoding.Lz4 => new Choice(StoredEncoding.Lz4, 0),
        BlockEncoding.ShuffleLz4 => new Trial(this, block, orShuffledBy: ElementSizeOr8(block)).OfElement(
            ElementSizeOr8(block)).Best,
        _ when IsElementSize(block.ElementSize) =>
            new Trial(this, block).Of(StoredEncoding.Lz4, 0).OfElement(block.ElementSize).Best,
        _ => new Trial(this, block).Of(StoredEncoding.Lz4, 0).OfElement(8).OfElement(4).Best,
    };

    private static int ElementSizeOr8(BlockBuffer block) =>
        IsElementSize(block.ElementSize) ? block.ElementSize : 8;

    /// <summary>Hashes the pages that nobody has hashed yet.</summary>
    private static ulong ChecksumOfPages(BlockBuffer block)
    {
        for (int page = 0; page < block.PageCount; page++)
        {
            ref PageHash hash = ref block.Hashes[page];
            ReadOnlySpan<byte> content =
                block.Pages.Span.Slice(page * ImageFormat.PageSize, ImageFormat.PageSize);
            if (!hash.IsKnown) hash = PageHash.Of(content);
            Debug.Assert(hash == PageHash.Of(content), "the hash is that of another content");
        }

        return BlockChecksum.OfHashes(block.Hashes);
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
    private int Compress(byte* source, int length, Choice choice, byte* target, int most)
    {
        if (choice.Encoding == StoredEncoding.DifferenceShuffleLz4)
        {
            ElementDifference.Take(source, _differences.Pointer, length, choice.ElementSize);
            source = _differences.Pointer;
        }

        if (choice.ElementSize != 0)
        {
            ByteShuffle.Shuffle(source, _shuffled.Pointer, length, choice.ElementSize);
            source = _shuffled.Pointer;
        }

        return LZ4Codec.Encode(source, length, target, most, LZ4Level.L00_FAST);
    }

    private readonly record struct Choice(StoredEncoding Encoding, int ElementSize);

    /// <summary>
    /// Tries what is plausible on a few pages from all over the block; a gain below 1/16 is not worth the
    /// time.
    /// </summary>
    private ref struct Trial
    {
        private readonly BlockEncoder _encoder;
        private readonly byte* _target;
        private readonly int _length;
        private int _best;

        /// <param name="encoder">Whose memory is used.</param>
        /// <param name="block">What is to be encoded.</param>
        /// <param name="orShuffledBy">
        /// What to do when nothing gains: shuffle by this, or 0 for nothing.
        /// </param>
        internal Trial(BlockEncoder encoder, BlockBuffer block, int orShuffledBy = 0)
        {
            _encoder = encoder;
            _target = block.Encoded.Pointer;
            _length = encoder.TakeSample(block);
            _best = _length - _length / 16;
            if (orShuffledBy != 0) Best = new Choice(StoredEncoding.ShuffleLz4, orShuffledBy);
        }

        internal Choice Best { get; private set; }

        /// <summary>Tries what suits elements of a size.</summary>
        internal Trial OfElement(int size)
        {
            Trial tried = Of(StoredEncoding.ShuffleLz4, size);
            return ElementDifference.IsElementSize(size)
                ? tried.Of(StoredEncoding.DifferenceShuffleLz4, size) : tried;
        }

        internal Trial Of(StoredEncoding encoding, int size)
        {
            Choice choice = new(encoding, size);
            int stored = _encoder.Compress(_encoder._sample.Pointer, _length, choice, _target, _best - 1);
            if (stored <= 0) return this;
            _best = stored;
            Best = choice;
            return this;
        }
    }
}
