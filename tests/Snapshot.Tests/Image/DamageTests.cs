using System.Buffers.Binary;
using Snapshot.Fuzz.Forging;
using Snapshot.Image;
using Xunit;

namespace Snapshot.Tests.Image;

/// <summary>
/// Faults: any byte of a file differs, the file is cut, or someone made a file with right checksums and
/// impossible content.
/// </summary>
public sealed class DamageTests
{
    private static readonly byte[] s_intact = SampleImage.Full(BlockEncoding.Auto);
    private static readonly byte[] s_intactInUnits = SampleImage.InUnits(BlockEncoding.Auto);

    [Fact]
    public void Every_flipped_byte_is_found()
    {
        using BlockScratch scratch = new();
        for (int i = 0; i < s_intact.Length; i++)
        {
            byte[] damaged = [.. s_intact];
            damaged[i] ^= (byte)(1 << (i % 8));
            SnapshotException? error = ReadAll(damaged, scratch);
            Assert.True(error is not null, $"the flip of byte {i} was not noticed");
            Assert.True(
                error.Code == SnapshotErrorCode.Corrupt, $"the flip of byte {i} is reported as {error.Code}");
            Assert.Equal("memory.snapshot", error.Path);
            Assert.NotNull(error.Offset);
        }
    }

    [Fact]
    public void A_damaged_block_leaves_the_other_blocks_readable_and_the_destination_untouched()
    {
        byte[] damaged = SampleImage.Write(SampleImage.FullHeader, BlockEncoding.None, writer =>
        {
            writer.BeginRegion(SampleImage.Arena(130));
            writer.AppendPages(SampleImage.Noise(130, 3), 0);
        });
        damaged[4096 + 64 * 4096 + 17] ^= 1;
        using ImageReader image = ImageReader.Open(new MemoryFile(damaged));
        using BlockScratch scratch = new(1 << 20);
        byte[] pages = new byte[64 * 4096];
        image.ReadBlock(0, pages, scratch);
        Array.Fill(pages, (byte)7);
        SnapshotException error = Assert.Throws<SnapshotException>(() => image.ReadBlock(1, pages, scratch));
        Assert.Equal(4096 + 64 * 4096, error.Offset);
        Assert.All(pages, value => Assert.Equal(7, value));
        image.ReadBlock(2, pages.AsSpan(0, 2 * 4096), scratch);
        Assert.Equal(SampleImage.Noise(130, 3)[(128 * 4096)..], pages[..(2 * 4096)]);
    }

    [Fact]
    public void A_file_cut_at_any_length_is_refused()
    {
        for (int length = 0;
            length < s_intact.Length;
            length += length % 4096 is 0 or 4095 ? 1 : length % 4096 == 1 ? 4094 : 1)
        {
            SnapshotException error = Assert.Throws<SnapshotException>(
                () => ImageReader.Open(new MemoryFile(s_intact[..length])));
            Assert.Equal(SnapshotErrorCode.Corrupt, error.Code);
        }
    }

    [Fact]
    public void A_refused_source_is_closed()
    {
        MemoryFile file = new(s_intact[..8192]);
        Assert.Throws<SnapshotException>(() => ImageReader.Open(file));
        Assert.True(file.Disposed);
    }

    [Fact]
    public void An_unknown_major_version_is_refused_as_such_and_an_unknown_minor_is_read()
    {
        byte[] image = [.. s_intact];
        image[8] = 2;
        ImageSeal.Mend(image);
        Assert.Equal(
            SnapshotErrorCode.UnsupportedFormat,
            Assert.Throws<SnapshotException>(() => ImageReader.Open(new MemoryFile(image))).Code);
        image[8] = 1;
        image[10] = 9;
        image[1000] = 1;
        ImageSeal.Mend(image);
        using ImageReader reader = ImageReader.Open(new MemoryFile(image));
        Assert.Equal(new Version(1, 9), reader.FormatVersion);
    }

    [Theory]
    [InlineData("ROOT", 0u, null)]
    [InlineData("ROOT", 1u, SnapshotErrorCode.UnsupportedFormat)]
    [InlineData("BLKS", 0u, SnapshotErrorCode.Corrupt)]
    public void An_unknown_section_is_skipped_when_optional_and_refused_when_required(
        string renamed, uint flags, SnapshotErrorCode? expected)
    {
        byte[] image = [.. s_intact];
        int at = image.AsSpan().IndexOf(System.Text.Encoding.ASCII.GetBytes(renamed));
        "ZZZZ"u8.CopyTo(image.AsSpan(at));
        BinaryPrimitives.WriteUInt32LittleEndian(image.AsSpan(at + 4), flags);
        ImageSeal.Mend(image);
        if (expected is { } code)
        {
            Assert.Equal(
                code, Assert.Throws<SnapshotException>(() => ImageReader.Open(new MemoryFile(image))).Code);
        }
        else
        {
            using ImageReader reader = ImageReader.Open(new MemoryFile(image));
            Assert.Empty(reader.Metadata.Roots);
        }
    }

    /// <summary>
    /// A reader of version 1.1 does not know the section, and must not take the image for a damaged one.
    /// </summary>
    [Fact]
    public void An_order_of_blocks_that_is_not_known_is_refused_as_such()
    {
        byte[] image = [.. s_intactInUnits];
        "ORDX"u8.CopyTo(image.AsSpan(image.AsSpan().IndexOf("ORDR"u8)));
        ImageSeal.Mend(image);
        Assert.Equal(
            SnapshotErrorCode.UnsupportedFormat,
            Assert.Throws<SnapshotException>(() => ImageReader.Open(new MemoryFile(image))).Code);
    }

    [Theory]
    [InlineData(5u, SnapshotErrorCode.UnsupportedFormat)]
    [InlineData(2u, SnapshotErrorCode.Corrupt)]
    public void An_encoding_that_is_not_known_is_refused_as_such_and_one_above_the_highest_is_damage(
        uint highest, SnapshotErrorCode expected)
    {
        byte[] image = SampleImage.Full(BlockEncoding.Auto);
        BinaryPrimitives.WriteUInt32LittleEndian(
            image.AsSpan(image.AsSpan().IndexOf("ENCD"u8) + 16), highest);
        ImageSeal.Mend(image);
        Assert.Equal(
            expected, Assert.Throws<SnapshotException>(() => ImageReader.Open(new MemoryFile(image))).Code);
    }

    [Theory]
    [InlineData(0, 0, 0)]
    [InlineData(2, 1, 1)]
    [InlineData(2, 0, 1)]
    [InlineData(2, 1, 3)]
    [InlineData(0, 1, 2)]
    public void An_order_in_which_blocks_leave_a_gap_or_overlap_is_damage(uint first, uint second, uint third)
    {
        byte[] image = [.. s_intactInUnits];
        Span<byte> numbers = image.AsSpan(image.AsSpan().IndexOf("ORDR"u8) + 24);
        BinaryPrimitives.WriteUInt32LittleEndian(numbers, first);
        BinaryPrimitives.WriteUInt32LittleEndian(numbers[4..], second);
        BinaryPrimitives.WriteUInt32LittleEndian(numbers[8..], third);
        ImageSeal.Mend(image);
        Assert.Equal(
            SnapshotErrorCode.Corrupt,
            Assert.Throws<SnapshotException>(() => ImageReader.Open(new MemoryFile(image))).Code);
    }

    /// <summary>
    /// Mutations with the checksums made right again: what remains are the checks of the structure itself.
    /// </summary>
    [Theory]
    [InlineData(1, false)]
    [InlineData(2, false)]
    [InlineData(3, true)]
    [InlineData(4, true)]
    public void Resealed_mutations_are_read_or_refused_within_the_limits(int seed, bool inUnits)
    {
        byte[] intact = inUnits ? s_intactInUnits : s_intact;
        Random random = new(seed);
        using BlockScratch scratch = new();
        int refused = 0;
        for (int round = 0; round < 1500; round++)
        {
            byte[] image = [.. intact];
            int indexOffset = (int)BitConverter.ToUInt64(image, image.Length - 4096 + 16);
            int used = (int)BitConverter.ToUInt64(image, indexOffset + 24);
            for (int changes = random.Next(1, 4); changes > 0; changes--)
                Mutate(image, indexOffset, used, random);
            ImageSeal.Mend(image);
            long before = GC.GetAllocatedBytesForCurrentThread();
            SnapshotException? error = ReadAll(image, scratch);
            Assert.True(
                GC.GetAllocatedBytesForCurrentThread() - before < 1 << 20,
                $"seed {seed}, round {round}: too much was allocated");
            if (error is not null) refused++;
        }

        Assert.InRange(refused, 500, 1499);
    }

    [Fact]
    public void An_index_beyond_the_limit_is_refused_before_it_is_read()
    {
        byte[] image = SampleImage.Write(SampleImage.FullHeader, BlockEncoding.None, writer =>
        {
            writer.BeginRegion(SampleImage.Arena(2000));
            for (int i = 0; i < 1000; i++)
            {
                writer.Append(ExtentKind.Zero, 1);
                writer.Append(ExtentKind.Excluded, 1);
            }
        });
        SnapshotException error = Assert.Throws<SnapshotException>(
            () => ImageReader.Open(new MemoryFile(image), new ImageLimits { IndexBytesMax = 8192 }));
        Assert.Equal(SnapshotErrorCode.Corrupt, error.Code);
        Assert.Contains("limit", error.Message, StringComparison.Ordinal);
    }

    private static SnapshotException? ReadAll(byte[] bytes, BlockScratch scratch)
    {
        try
        {
            using ImageReader image = ImageReader.Open(new MemoryFile(bytes));
            for (int block = 0; block < image.Blocks.Length; block++) image.ReadBlock(block, scratch);
            return null;
        }
        catch (SnapshotException error)
        {
            return error;
        }
    }

    private static void Mutate(byte[] image, int indexOffset, int used, Random random)
    {
        int at = random.Next(5) switch
        {
            0 => random.Next(8, 80),
            1 => random.Next(4096, indexOffset),
            2 => image.Length - 4096 + random.Next(16, 64),
            _ => indexOffset + random.Next(16, used),
        };
        switch (random.Next(3))
        {
            case 0: image[at] ^= (byte)(1 << random.Next(8)); break;
            case 1: image[at] = 0xFF; break;
            default: image.AsSpan(at, Math.Min(8, image.Length - at)).Fill((byte)random.Next(256)); break;
        }
    }
}
