using BenchmarkDotNet.Attributes;
using Snapshot.Base;
using Snapshot.Image;

namespace Snapshot.Microbench;

/// <summary>What a block of 64 pages costs on its way to an image: its hashes, and its encoding.</summary>
public unsafe class EncodeBench
{
    private const int PageCount = 64;
    private const int Bytes = PageCount * Pages.Size;

    private readonly BlockBuffer _block =
        new(new BlockPool()) { PageCount = PageCount, ElementSize = sizeof(double) };
    private BlockEncoder _encoder = null!;

    /// <summary>The content: a smooth field of doubles, or noise.</summary>
    [Params("smooth", "noise")]
    public string Content { get; set; } = "";

    /// <summary>The encoding.</summary>
    [Params(BlockEncoding.None, BlockEncoding.Lz4, BlockEncoding.ShuffleLz4, BlockEncoding.Auto)]
    public BlockEncoding Encoding { get; set; }

    /// <summary>Makes the content.</summary>
    [GlobalSetup]
    public void Fill()
    {
        _encoder = new BlockEncoder(Encoding);
        Random random = new(1);
        double* cells = (double*)_block.Pages.Pointer;
        for (int index = 0; index < Bytes / sizeof(double); index++)
            cells[index] = Content == "smooth"
                ? 300 + 20 * Math.Sin(index * 1e-3)
                : BitConverter.Int64BitsToDouble(random.NextInt64());
    }

    /// <summary>The block as it goes to the file.</summary>
    [Benchmark]
    public int Encode() => _encoder.Encode(_block).StoredLength;
}
