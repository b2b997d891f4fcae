using K4os.Compression.LZ4;
using Snapshot.Base;

namespace Snapshot.Image;

/// <summary>
/// A block as it goes to the file; the bytes belong to the encoder or to the input, padded with zeros.
/// </summary>
internal readonly unsafe struct EncodedBlock(byte* bytes, int storedLength, StoredEncoding encoding, byte elementSize)
{
    internal StoredEncoding Encoding => encoding;

    internal byte ElementSize => elementSize;

    internal int StoredLength => storedLength;

    /// <summary>The stored bytes with their padding.</summary>
    internal ReadOnlySpan<byte> Padded => new(bytes, (int)Pages.AlignUp(storedLength, ImageFormat.PageSize));
}

/// <summary>Encodes blocks, one at a time; one encoder a thread. Allocates nothing per block.</summary>
internal sealed unsafe class BlockEncoder(BlockEncoding policy) : IDisposable
{
    private const int SamplePages = 4;

    private readonly AlignedBuffer _shuffled = new(ImageFormat.BlockBytesMax);
    private readonly AlignedBuffer _encoded = new(ImageFormat.BlockBytesMax);
    private readonly AlignedBuffer _sample = new(SamplePages * ImageFormat.PageSize);

    internal static bool IsElementSize(int size) => size is 2 or 4 or 8 or 16;

    /// <summary>Encodes whole pages.</summary>
    /// <param name="pages">The pages.</param>
    /// <param name="length">Bytes, a multiple of the page size.</param>
    /// <param name="elementSize">2, 4, 8 or 16; anything else means that it is not known.</param>
    internal EncodedBlock Encode(byte* pages, int length, int elementSize)
    {
        (StoredEncoding encoding, int element) = Choose(pages, length, elementSize);
        if (encoding != StoredEncoding.Plain)
        {
            // What does not fit into one page less is no gain, for the file is made of pages.
            int stored = Compress(pages, length, element, length - ImageFormat.PageSize);
            if (stored > 0)
            {
                int padded = (int)Pages.AlignUp(stored, ImageFormat.PageSize);
                new Span<byte>(_encoded.Pointer + stored, padded - stored).Clear();
                return new EncodedBlock(_encoded.Pointer, stored, encoding, (byte)element);
            }
        }

        return new EncodedBlock(pages, length, StoredEncoding.Plain, 0);
    }

    public void Dispose()
    {
        _shuffled.Dispose();
        _encoded.Dispose();
        _sample.Dispose();
    }

    private (StoredEncoding Encoding, int ElementSize) Choose(byte* pages, int length, int elementSize) => policy switch
    {
        _ when length <= ImageFormat.PageSize => (StoredEncoding.Plain, 0),
        BlockEncoding.None => (StoredEncoding.Plain, 0),
        BlockEncoding.Lz4 => (StoredEncoding.Lz4, 0),
        BlockEncoding.ShuffleLz4 => (StoredEncoding.ShuffleLz4, IsElementSize(elementSize) ? elementSize : 8),
        _ => ChooseBySample(pages, length, elementSize),
    };

    /// <summary>
    /// Tries what is plausible on a few pages from all over the block; a gain below 1/16 is not worth the time.
    /// </summary>
    private (StoredEncoding Encoding, int ElementSize) ChooseBySample(byte* pages, int length, int elementSize)
    {
        int sampleLength = TakeSample(pages, length);
        int best = sampleLength - sampleLength / 16;
        (StoredEncoding, int) choice = (StoredEncoding.Plain, 0);
        Try(0, ref best, ref choice);
        if (IsElementSize(elementSize))
        {
            Try(elementSize, ref best, ref choice);
        }
        else
        {
            Try(8, ref best, ref choice);
            Try(4, ref best, ref choice);
        }

        return choice;

        void Try(int element, ref int best, ref (StoredEncoding, int) choice)
        {
            int stored = Compress(_sample.Pointer, sampleLength, element, best - 1);
            if (stored <= 0) return;
            best = stored;
            choice = (element == 0 ? StoredEncoding.Lz4 : StoredEncoding.ShuffleLz4, element);
        }
    }

    private int TakeSample(byte* pages, int length)
    {
        int pageCount = length / ImageFormat.PageSize;
        int count = Math.Min(SamplePages, pageCount);
        for (int i = 0; i < count; i++)
        {
            byte* page = pages + (long)(i * pageCount / count) * ImageFormat.PageSize;
            new ReadOnlySpan<byte>(page, ImageFormat.PageSize).CopyTo(_sample.Span[(i * ImageFormat.PageSize)..]);
        }

        return count * ImageFormat.PageSize;
    }

    /// <returns>The encoded length, or less than 1 when it would exceed <paramref name="most"/>.</returns>
    private int Compress(byte* source, int length, int elementSize, int most)
    {
        if (elementSize != 0)
        {
            ByteShuffle.Shuffle(source, _shuffled.Pointer, length, elementSize);
            source = _shuffled.Pointer;
        }

        return LZ4Codec.Encode(source, length, _encoded.Pointer, most, LZ4Level.L00_FAST);
    }
}
