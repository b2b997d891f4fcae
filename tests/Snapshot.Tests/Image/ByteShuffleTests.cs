using CsCheck;
using Snapshot.Image;
using Xunit;

namespace Snapshot.Tests.Image;

public sealed unsafe class ByteShuffleTests
{
    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    [InlineData(8)]
    [InlineData(16)]
    public void Shuffling_follows_the_formula_and_unshuffling_undoes_it(int elementSize)
    {
        foreach (int pages in new[] { 1, 3, 64 })
        {
            byte[] source = SampleImage.Noise(pages, (uint)(pages + elementSize));
            byte[] shuffled = new byte[source.Length];
            byte[] back = new byte[source.Length];
            byte[] plainly = new byte[source.Length];
            byte[] plainlyBack = new byte[source.Length];
            fixed (byte* from = source, to = shuffled, again = back, plain = plainly, plainBack = plainlyBack)
            {
                ByteShuffle.Shuffle(from, to, source.Length, elementSize);
                ByteShuffle.Unshuffle(to, again, source.Length, elementSize);
                ByteShuffle.ShuffleBytes(from, plain, source.Length, elementSize);
                ByteShuffle.UnshuffleBytes(plain, plainBack, source.Length, elementSize);
            }

            int count = source.Length / elementSize;
            for (int i = 0; i < source.Length; i++)
                Assert.Equal(source[i], shuffled[i % elementSize * count + i / elementSize]);
            Assert.Equal(source, back);
            Assert.Equal(shuffled, plainly);
            Assert.Equal(source, plainlyBack);
        }
    }

    [Theory]
    [InlineData(BlockEncoding.None)]
    [InlineData(BlockEncoding.Lz4)]
    [InlineData(BlockEncoding.ShuffleLz4)]
    [InlineData(BlockEncoding.Auto)]
    public void Whatever_is_encoded_is_read_back(BlockEncoding encoding) => s_pageMixes.Sample(
        mix =>
        {
            byte[] pages = Mix(mix.Kinds);
            byte[] file = SampleImage.Write(SampleImage.FullHeader, encoding, writer =>
            {
                writer.BeginRegion(SampleImage.Arena(mix.Kinds.Length));
                writer.AppendPages(pages, mix.ElementSize);
            });
            using ImageReader image = ImageReader.Open(new MemoryFile(file));
            using BlockScratch scratch = new();
            byte[] read = new byte[pages.Length];
            int at = 0;
            for (int block = 0; block < image.Blocks.Length; block++)
            {
                int length = image.Blocks[block].PageCount * 4096;
                image.ReadBlock(block, read.AsSpan(at, length), scratch);
                at += length;
            }

            Assert.True(pages.AsSpan().SequenceEqual(read));
        },
        seed: "0N0XIzNsQ0O2",
        iter: 40);

    [Fact]
    public void A_smooth_field_shrinks_only_when_shuffled_most_by_its_differences_and_auto_finds_that_out()
    {
        byte[] field = new byte[64 * 4096];
        for (int i = 0; i < field.Length / 8; i++)
            BitConverter.TryWriteBytes(field.AsSpan(i * 8), Math.Sin(i * 1e-4) * 300);
        Assert.Equal(StoredEncoding.DifferenceShuffleLz4, Encode(field, BlockEncoding.Auto, 0).Encoding);
        Assert.Equal(StoredEncoding.DifferenceShuffleLz4, Encode(field, BlockEncoding.Auto, 8).Encoding);
        Assert.Equal(StoredEncoding.PlainByPage, Encode(field, BlockEncoding.Lz4, 8).Encoding);
        Assert.True(Encode(field, BlockEncoding.ShuffleLz4, 8).StoredLength * 3 < field.Length *
            2, "at least 1.5 times");
        Assert.Equal(
            StoredEncoding.PlainByPage, Encode(SampleImage.Noise(64, 5), BlockEncoding.Auto, 8).Encoding);
        Assert.Equal(
            StoredEncoding.PlainByPage, Encode(SampleImage.Noise(64, 5), BlockEncoding.Lz4, 8).Encoding);
        Assert.Equal(
            StoredEncoding.PlainByPage,
            Encode(SampleImage.Noise(64, 5), BlockEncoding.ShuffleLz4, 8).Encoding);
    }

    private static readonly Gen<(int[] Kinds, int ElementSize)> s_pageMixes =
        Gen.Select(Gen.Int[0, 3].Array[1, 150], Gen.OneOf(
            Gen.Const(0), Gen.Const(1), Gen.Const(2), Gen.Const(3), Gen.Const(4), Gen.Const(8), Gen.Const(12),
            Gen.Const(16)));

    private static byte[] Mix(int[] kinds)
    {
        List<byte> pages = [];
        for (int i = 0; i < kinds.Length; i++)
        {
            pages.AddRange(kinds[i] switch
            {
                0 => new byte[4096],
                1 => SampleImage.Smooth(1),
                2 => SampleImage.Noise(1, (uint)i + 1),
                _ => [.. Enumerable.Range(0, 4096).Select(k => (byte)(k / 4))],
            });
        }

        return [.. pages];
    }

    private static EncodedBlock Encode(byte[] pages, BlockEncoding policy, int elementSize)
    {
        using BlockEncoder encoder = new(policy);
        using BlockPool pool = new();
        BlockBuffer block = new(pool) { PageCount = pages.Length / 4096, ElementSize = elementSize };
        pages.CopyTo(block.Pages.Span);
        return encoder.Encode(block);
    }
}
