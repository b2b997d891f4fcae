using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;
using Snapshot.Image;
using Snapshot.Storage;
using Xunit;

namespace Snapshot.Tests.Image;

/// <summary>Pins the offsets of docs/FORMAT.md in numbers, not in the constants of the code.</summary>
public sealed class LayoutTests
{
    private readonly byte[] _image = SampleImage.Incremental(BlockEncoding.None);

    [Fact]
    public void The_header_page_has_the_documented_offsets()
    {
        Assert.Equal(new byte[] { 0x89, 0x53, 0x4E, 0x41, 0x50, 0x0D, 0x0A, 0x1A }, _image[..8]);
        Assert.Equal(1, BitConverter.ToUInt16(_image, 8));
        Assert.Equal(5, BitConverter.ToUInt16(_image, 10));
        Assert.Equal(4096u, BitConverter.ToUInt32(_image, 12));
        Assert.Equal(SampleImage.ImageId.ToByteArray(), _image[16..32]);
        Assert.Equal(2ul, BitConverter.ToUInt64(_image, 32));
        Assert.Equal(SampleImage.ParentId.ToByteArray(), _image[40..56]);
        Assert.Equal(1ul, BitConverter.ToUInt64(_image, 56));
        Assert.Equal(
            (SampleImage.Created.ToUnixTimeMilliseconds() + 10_000) * 1000, BitConverter.ToInt64(_image, 64));
        Assert.Equal(2u, BitConverter.ToUInt32(_image, 72));
        Assert.Equal(64u, BitConverter.ToUInt32(_image, 76));
        Assert.Equal(62, BitConverter.ToUInt16(_image, 80));
        Assert.Equal(1, _image[82]);
        Assert.Equal(0, _image[83]);
        byte[] tag = Encoding.UTF8.GetBytes(SampleImage.Tag);
        Assert.Equal(tag.Length, BitConverter.ToUInt16(_image, 84));
        Assert.Equal(tag, _image[86..(86 + tag.Length)]);
        Assert.All(_image[(86 + tag.Length)..4088], value => Assert.Equal(0, value));
        Assert.Equal(XxHash3.HashToUInt64(_image.AsSpan(0, 4088)), BitConverter.ToUInt64(_image, 4088));
    }

    [Fact]
    public void The_footer_page_has_the_documented_offsets()
    {
        byte[] footer = _image[^4096..];
        Assert.Equal("SNAPEND\n", Encoding.ASCII.GetString(footer, 0, 8));
        Assert.Equal(1, BitConverter.ToUInt16(footer, 8));
        int indexOffset = (int)BitConverter.ToUInt64(footer, 16);
        int indexLength = (int)BitConverter.ToUInt64(footer, 24);
        Assert.Equal(4096 + 4096, indexOffset);
        Assert.Equal(_image.Length - 4096, indexOffset + indexLength);
        Assert.Equal(
            XxHash3.HashToUInt64(_image.AsSpan(indexOffset, indexLength)), BitConverter.ToUInt64(footer, 32));
        Assert.Equal((ulong)_image.Length, BitConverter.ToUInt64(footer, 40));
        Assert.Equal(SampleImage.ImageId.ToByteArray(), footer[48..64]);
        Assert.Equal(XxHash3.HashToUInt64(footer.AsSpan(0, 4088)), BitConverter.ToUInt64(footer, 4088));
    }

    [Fact]
    public void The_index_has_the_documented_sections()
    {
        ReadOnlySpan<byte> index = _image.AsSpan(8192);
        Assert.Equal("SNAPIDX\n", Encoding.ASCII.GetString(index[..8]));
        Assert.Equal(
            BitConverter.ToUInt64(_image, 4088), BinaryPrimitives.ReadUInt64LittleEndian(index[8..]));
        uint sections = BinaryPrimitives.ReadUInt32LittleEndian(index[16..]);
        int used = (int)BinaryPrimitives.ReadUInt64LittleEndian(index[24..]);
        List<(string Id, uint Flags)> found = [];
        int at = 32;
        for (uint i = 0; i < sections; i++)
        {
            found.Add((
                Encoding.ASCII.GetString(index.Slice(at, 4)),
                BinaryPrimitives.ReadUInt32LittleEndian(index[(at + 4)..])));
            at += 16 + (int)(BinaryPrimitives.ReadUInt64LittleEndian(index[(at + 8)..]) + 7 & ~7ul);
        }

        Assert.Equal(used, at);
        Assert.Equal(
            [
                ("BLKS", 1), ("ENCD", 1), ("REGN", 1), ("EXTN", 1), ("ROOT", 0), ("PART", 1), ("HNDL", 1),
                ("ENVI", 0),
                ("FIGR", 0),
            ],
            found);
    }

    [Fact]
    public void Blocks_regions_and_extents_have_the_documented_entries()
    {
        ReadOnlySpan<byte> blocks = _image.AsSpan(8192 + 32 + 16);
        Assert.Equal(1ul, BinaryPrimitives.ReadUInt64LittleEndian(blocks));
        Assert.Equal(4096ul, BinaryPrimitives.ReadUInt64LittleEndian(blocks[8..]));
        byte[] hashes = new byte[64 * 16];
        BinaryPrimitives.WriteUInt128LittleEndian(hashes, XxHash128.HashToUInt128(_image.AsSpan(4096, 4096)));
        Assert.Equal(XxHash3.HashToUInt64(hashes), BinaryPrimitives.ReadUInt64LittleEndian(blocks[16..]));
        Assert.Equal(4096u, BinaryPrimitives.ReadUInt32LittleEndian(blocks[24..]));
        Assert.Equal(1, BinaryPrimitives.ReadUInt16LittleEndian(blocks[28..]));
        Assert.Equal(4, blocks[30]);
        Assert.Equal(0, blocks[31]);
        Assert.Equal(4ul, BinaryPrimitives.ReadUInt64LittleEndian(blocks[(8 + 24 + 16)..]));

        ReadOnlySpan<byte> regions = blocks[(8 + 24 + 16 + 8 + 16)..];
        Assert.Equal(2u, BinaryPrimitives.ReadUInt32LittleEndian(regions));
        ReadOnlySpan<byte> first = regions[8..];
        Assert.Equal(1u, BinaryPrimitives.ReadUInt32LittleEndian(first));
        Assert.Equal(1, first[4]);
        Assert.Equal(1, first[5]);
        Assert.Equal(0x2000_0000_0000ul, BinaryPrimitives.ReadUInt64LittleEndian(first[8..]));
        Assert.Equal(10ul, BinaryPrimitives.ReadUInt64LittleEndian(first[16..]));
        Assert.Equal(1ul << 30, BinaryPrimitives.ReadUInt64LittleEndian(first[24..]));
        Assert.Equal(40960ul, BinaryPrimitives.ReadUInt64LittleEndian(first[32..]));
        Assert.Equal(4ul, BinaryPrimitives.ReadUInt64LittleEndian(first[40..]));
        Assert.Equal("\u0004\0grid", Encoding.ASCII.GetString(first.Slice(48, 6)));

        ReadOnlySpan<byte> extents = regions[(8 + 54 + 54 + 4 + 16)..];
        Assert.Equal(5ul, BinaryPrimitives.ReadUInt64LittleEndian(extents));
        ulong[] expected = [3 << 8 | 0, 1 << 8 | 1, 5 << 8 | 0, 1 << 8 | 2, 2 << 8 | 0];
        for (int i = 0; i < 5; i++)
            Assert.Equal(expected[i], BinaryPrimitives.ReadUInt64LittleEndian(extents[(8 + 8 * i)..]));
    }

    [Fact]
    public void The_order_of_the_file_has_the_documented_section()
    {
        byte[] image = SampleImage.InUnits(BlockEncoding.None);
        int index = (int)BitConverter.ToUInt64(image, image.Length - 4096 + 16);

        // After the preamble and the section of three blocks.
        ReadOnlySpan<byte> section = image.AsSpan(index + 32 + 16 + 8 + 3 * 24);
        Assert.Equal("ORDR", Encoding.ASCII.GetString(section[..4]));
        Assert.Equal(1u, BinaryPrimitives.ReadUInt32LittleEndian(section[4..]));
        Assert.Equal(8u + 3 * 4, BinaryPrimitives.ReadUInt64LittleEndian(section[8..]));
        Assert.Equal(3u, BinaryPrimitives.ReadUInt64LittleEndian(section[16..]));
        for (int place = 0; place < 3; place++)
            Assert.Equal(place == 0 ? 2u : place == 1 ? 1u : 0u, BinaryPrimitives.ReadUInt32LittleEndian(
                section[(24 + 4 * place)..]));
    }

    [Fact]
    public void A_manifest_half_has_the_documented_offsets()
    {
        ManifestEntry entry = new(
            SampleImage.ImageId, 42, new ImageLink(SampleImage.ParentId, 41), 12345, 0xABCD,
            SampleImage.Created, 3);
        byte[] half = new byte[ManifestHalf.HalfBytes];
        ManifestHalf.Encode(new ManifestState(7, [entry with { Flags = EntryFlags.PassedOver }], 40), half);
        Assert.Equal(262_144, ManifestHalf.HalfBytes);
        Assert.Equal(2730, ManifestHalf.EntriesMax);
        Assert.Equal("SNAPMAN\n", Encoding.ASCII.GetString(half, 0, 8));
        Assert.Equal(2u, BitConverter.ToUInt32(half, 8));
        Assert.Equal(1u, BitConverter.ToUInt32(half, 12));
        Assert.Equal(7ul, BitConverter.ToUInt64(half, 16));
        Assert.Equal(40ul, BitConverter.ToUInt64(half, 24));
        Assert.Equal(2u, BitConverter.ToUInt32(half, 144));
        Assert.Equal(
            XxHash3.HashToUInt64([.. half[..56], .. half[64..160]]), BitConverter.ToUInt64(half, 56));
        Assert.Equal(42ul, BitConverter.ToUInt64(half, 64));
        Assert.Equal(41ul, BitConverter.ToUInt64(half, 72));
        Assert.Equal(SampleImage.ImageId.ToByteArray(), half[80..96]);
        Assert.Equal(SampleImage.ParentId.ToByteArray(), half[96..112]);
        Assert.Equal(12345ul, BitConverter.ToUInt64(half, 112));
        Assert.Equal(0xABCDul, BitConverter.ToUInt64(half, 120));
        Assert.Equal(SampleImage.Created.ToUnixTimeMilliseconds() * 1000, BitConverter.ToInt64(half, 128));
        Assert.Equal(2u, BitConverter.ToUInt32(half, 136));
        Assert.Equal(3u, BitConverter.ToUInt32(half, 140));
        Assert.Equal("0000000042-3.snapshot", entry.FileName);
        Assert.All(half[32..56].Concat(half[148..160]), value => Assert.Equal(0, value));
    }

    [Fact]
    public void Tags_have_the_documented_offsets_in_a_manifest_half()
    {
        ManifestEntry entry = new(
            SampleImage.ImageId, 1, null, 12345, 0xABCD, SampleImage.Created, 0);
        ManifestEntry[] entries =
            [entry with { Tag = "a" }, entry with { Generation = 2 }, entry with { Generation = 3, Tag = "né" }];
        byte[] half = new byte[ManifestHalf.HalfBytes];
        ManifestHalf.Encode(new ManifestState(7, entries), half);
        Assert.Equal(3u, BitConverter.ToUInt32(half, 8));
        Assert.Equal(4u, BitConverter.ToUInt32(half, 32));
        Assert.Equal(XxHash3.HashToUInt64("ané"u8), BitConverter.ToUInt64(half, 40));
        Assert.Equal([1, 0, 3], Enumerable.Range(0, 3).Select(i => half[148 + 96 * i] + half[149 + 96 * i]));
        Assert.Equal("ané"u8.ToArray(), half[(64 + 3 * 96)..(64 + 3 * 96 + 4)]);
        Assert.Equal(
            XxHash3.HashToUInt64([.. half[..56], .. half[64..(64 + 3 * 96)]]),
            BitConverter.ToUInt64(half, 56));
        Assert.Equal(entries, ManifestHalf.Decode(half, 0, "manifest")!.Entries);
    }

    [Fact]
    public void Persisted_numbers_are_pinned()
    {
        Assert.Equal(
            [0, 1, 2, 3],
            new[] { ExtentKind.InParent, ExtentKind.Present, ExtentKind.Zero, ExtentKind.Excluded }.Select(
                kind => (int)kind));
        Assert.Equal(
            [0, 1, 2, 3, 4],
            new[]
            {
                StoredEncoding.Plain, StoredEncoding.Lz4, StoredEncoding.ShuffleLz4,
                StoredEncoding.DifferenceShuffleLz4, StoredEncoding.PlainByPage,
            }.Select(code => (int)code));
        Assert.Equal(
            [1, 2], new[] { GenerationKind.Full, GenerationKind.Incremental }.Select(kind => (int)kind));
        Assert.Equal([1, 2], new[] { RegionKind.Arena, RegionKind.Buffer }.Select(kind => (int)kind));
        Assert.Equal(1, (int)ParticipantKind.Polled);
    }
}
