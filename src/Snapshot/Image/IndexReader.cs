using Snapshot.Base;
using static Snapshot.Image.ImageFormat;

namespace Snapshot.Image;

/// <summary>What an index says.</summary>
/// <param name="Blocks">In the order of the page stream.</param>
/// <param name="FileOrder">
/// The numbers of the blocks in the order of the file, or null when that is the same.
/// </param>
/// <param name="BlocksEnd">Offset in the file where the blocks end.</param>
/// <param name="Regions">In the order of the page stream.</param>
/// <param name="RegionsById">The same by their ids.</param>
/// <param name="Metadata">What is not memory.</param>
/// <param name="PresentPages">The length of the page stream.</param>
internal sealed record ImageIndex(
    ImageBlock[] Blocks, int[]? FileOrder, long BlocksEnd, ImageRegion[] Regions,
    Dictionary<int, ImageRegion> RegionsById, ImageMetadata Metadata, long PresentPages);

/// <summary>
/// Parses an index whose checksum was found right, and yet believes nothing that it can check.
/// </summary>
internal ref struct IndexReader
{
    private readonly string _name;
    private readonly long _offset;
    private readonly ImageHeader _header;
    private readonly HashSet<uint> _seen = [];
    private FormatReader _blocks;
    private FormatReader _fileOrder;
    private FormatReader _regions;
    private FormatReader _extents;
    private StoredEncoding _highestEncoding = StoredEncoding.ShuffleLz4;
    private ImageMetadata _metadata = new();

    private IndexReader(string name, long offset, ImageHeader header)
    {
        _name = name;
        _offset = offset;
        _header = header;
    }

    /// <param name="index">The index with its padding.</param>
    /// <param name="offset">Its offset in the file, where the blocks end.</param>
    /// <param name="headerChecksum">That of the header page.</param>
    /// <param name="header">The header.</param>
    /// <param name="name">The file.</param>
    internal static ImageIndex Read(
        ReadOnlySpan<byte> index, long offset, ulong headerChecksum, ImageHeader header, string name)
    {
        IndexReader reader = new(name, offset, header);
        reader.SplitSections(index, headerChecksum);
        ImageRegion[] regions =
            reader.ReadRegions(out Dictionary<int, ImageRegion> byId, out long presentPages);
        ImageBlock[] blocks = reader.ReadBlocks(presentPages);
        int[]? fileOrder =
            reader._seen.Contains(Section.FileOrder) ? reader.ReadFileOrder(blocks.Length) : null;
        reader.CheckTiling(blocks, fileOrder);
        if (MetadataCheck.FindFault(reader._metadata, byId.GetValueOrDefault) is { } fault)
            throw ImageErrors.Corrupt(name, offset, fault);
        return new ImageIndex(blocks, fileOrder, offset, regions, byId, reader._metadata, presentPages);
    }

    private void SplitSections(ReadOnlySpan<byte> index, ulong headerChecksum)
    {
        FormatReader from = new(index, _name, _offset);
        if (!index.StartsWith(IndexMagic)) throw from.Corrupt("there is no index");
        from.Skip(IndexMagic.Length);
        if (from.U64() != headerChecksum) throw from.Corrupt("header and index belong to different images");
        uint count = from.U32();
        from.Skip(4);
        ulong used = from.U64();
        if (used < IndexPreambleBytes || used > (ulong)index.Length || (ulong)index.Length - used >= PageSize)
            throw from.Corrupt("the number of bytes used does not fit the length of the index");

        FormatReader sections = from.Slice((int)used - IndexPreambleBytes);
        for (uint i = 0; i < count; i++) TakeSection(ref sections);
        sections.ExpectEnd();
        foreach (uint needed in (ReadOnlySpan<uint>)[Section.Blocks, Section.Regions, Section.Extents])
        {
            if (!_seen.Contains(needed)) throw sections.Corrupt($"section {NameOf(needed)} is missing");
        }
    }

    private void TakeSection(ref FormatReader sections)
    {
        uint id = sections.U32();
        if (!_seen.Add(id)) throw sections.Corrupt($"section {NameOf(id)} occurs twice");
        bool required = (sections.U32() & SectionRequired) != 0;
        int length = sections.Count(sections.U64(), 1);
        FormatReader payload = sections.Slice(length);
        sections.Skip(-length & 7);
        switch (id)
        {
            case Section.Blocks: _blocks = payload; break;
            case Section.FileOrder: _fileOrder = payload; break;
            case Section.HighestEncoding: ReadHighestEncoding(payload); break;
            case Section.Regions: _regions = payload; break;
            case Section.Extents: _extents = payload; break;
            case Section.Roots: _metadata = _metadata with { Roots = MetadataReader.Roots(payload) }; break;
            case Section.Participants:
                _metadata = _metadata with { Participants = MetadataReader.Participants(payload) };
                break;
            case Section.AsyncHandlers:
                _metadata = _metadata with { AsyncHandlers = MetadataReader.Handlers(payload) };
                break;
            case Section.LockOwners:
                _metadata = _metadata with { Owners = MetadataReader.Owners(payload) }; break;
            case Section.Environment:
                _metadata = _metadata with { Environment = MetadataReader.Environment(payload) };
                break;
            case Section.Figures:
                _metadata = _metadata with { Figures = MetadataReader.Figures(payload) }; break;
            default:
                if (required)
                    throw ImageErrors.Unsupported(
                        _name, _offset,
                        $"the image needs section {NameOf(id)}, which this library does not know");
                break;
        }
    }

    private ImageRegion[] ReadRegions(out Dictionary<int, ImageRegion> byId, out long presentPages)
    {
        ImageExtent[] extents = new ImageExtent[_extents.Count(_extents.U64(), ExtentBytes)];
        ImageRegion[] regions = new ImageRegion[_regions.Count(_regions.U32(), RegionEntryBytes + 2)];
        _regions.Skip(4);
        RegionCheck check = new();
        byId = [];
        int first = 0;
        presentPages = 0;
        for (int i = 0; i < regions.Length; i++)
        {
            RegionDescription region = ReadRegion(out long extentCount);
            if (check.FaultOf(region) is { } fault) throw _regions.Corrupt($"region {region.Id} {fault}");
            if (extentCount > extents.Length - first)
                throw _regions.Corrupt($"region {region.Id} has more extents than there are");
            ReadExtents(region, extents.AsSpan(first, (int)extentCount), ref presentPages);
            regions[i] = new ImageRegion(region, extents, first, (int)extentCount);
            if (!byId.TryAdd(region.Id, regions[i]))
                throw _regions.Corrupt($"region {region.Id} occurs twice");
            first += (int)extentCount;
        }

        _regions.ExpectEnd();
        _extents.ExpectEnd();
        if (check.FindOverlap() is { } overlap) throw _regions.Corrupt(overlap);
        if (first != extents.Length)
            throw _extents.Corrupt($"{extents.Length - first} extents belong to no region");
        return regions;
    }

    private RegionDescription ReadRegion(out long extentCount)
    {
        int id = _regions.Id();
        byte kind = _regions.U8();
        byte flags = _regions.U8();
        _regions.Skip(2);
        ulong address = _regions.U64();
        long committed = _regions.Size();
        long capacity = _regions.Size();
        long length = _regions.Size();
        extentCount = _regions.Size();
        return new RegionDescription(
            id, _regions.Name(), (RegionKind)kind, address, committed, capacity, length, (flags & 1) != 0);
    }

    private void ReadExtents(RegionDescription region, Span<ImageExtent> extents, ref long presentPages)
    {
        long page = 0;
        int before = -1;
        foreach (ref ImageExtent extent in extents)
        {
            ulong packed = _extents.U64();
            extent = new ImageExtent(packed, page, presentPages);
            bool possible = extent.Kind <= ExtentKind.Excluded && (int)extent.Kind != before &&
                extent.PageCount >= 1
                && extent.PageCount <= region.CommittedPages - page
                && (extent.Kind != ExtentKind.InParent || _header.Parent is not null);
            if (!possible)
                throw _extents.Corrupt($"an extent of region {region.Id} at page {page} is impossible");
            before = (int)extent.Kind;
            page += extent.PageCount;
            if (extent.Kind == ExtentKind.Present) presentPages += extent.PageCount;
        }

        if (page != region.CommittedPages)
            throw _extents.Corrupt(
                $"the extents of region {region.Id} cover {page} of {region.CommittedPages} pages");
    }

    private ImageBlock[] ReadBlocks(long presentPages)
    {
        ImageBlock[] blocks = new ImageBlock[_blocks.Count(_blocks.U64(), BlockEntryBytes)];
        long ordinal = 0;
        foreach (ref ImageBlock block in blocks.AsSpan())
        {
            block = new ImageBlock(
                _blocks.Size(),
                _blocks.U64(),
                ordinal,
                (int)Math.Min(_blocks.U32(), int.MaxValue),
                _blocks.U16(),
                (StoredEncoding)_blocks.U8(),
                _blocks.U8());
            if (!IsPossible(block))
                throw _blocks.Corrupt($"the entry of the block with page {ordinal} is impossible");
            ordinal += block.PageCount;
        }

        _blocks.ExpectEnd();
        if (ordinal != presentPages)
            throw _blocks.Corrupt($"the blocks hold {ordinal} pages, the extents say {presentPages}");
        return blocks;
    }

    private void ReadHighestEncoding(FormatReader from)
    {
        uint highest = from.U32();
        from.Skip(4);
        from.ExpectEnd();
        if (highest > (uint)StoredEncoding.PlainByPage)
            throw ImageErrors.Unsupported(
                _name, _offset, $"a block has encoding {highest}, which this library does not know");
        _highestEncoding = (StoredEncoding)highest;
    }

    private int[] ReadFileOrder(int blockCount)
    {
        int[] numbers = new int[_fileOrder.Count(_fileOrder.U64(), FileOrderEntryBytes)];
        if (numbers.Length != blockCount)
            throw _fileOrder.Corrupt(
                $"the order is that of {numbers.Length} blocks, and there are {blockCount}");
        foreach (ref int number in numbers.AsSpan())
        {
            uint read = _fileOrder.U32();
            if (read >= (uint)blockCount) throw _fileOrder.Corrupt($"there is no block {read}");
            number = (int)read;
        }

        _fileOrder.ExpectEnd();
        return numbers;
    }

    /// <summary>
    /// Each block begins where the one before in the file ends. Their offsets ascend, so none is met twice;
    /// and as many are met as there are, so none is left out.
    /// </summary>
    private readonly void CheckTiling(ImageBlock[] blocks, int[]? fileOrder)
    {
        long offset = PageSize;
        for (int i = 0; i < blocks.Length; i++)
        {
            int number = fileOrder is null ? i : fileOrder[i];
            if (blocks[number].Offset != offset)
                throw _blocks.Corrupt($"block {number} is at {blocks[number].Offset}, its place is {offset}");
            offset += Pages.AlignUp(blocks[number].StoredLength, PageSize);
        }

        if (offset != _offset)
            throw _blocks.Corrupt($"the blocks end at {offset}, the index starts at {_offset}");
    }

    private readonly bool IsPossible(in ImageBlock block)
    {
        int length = block.PageCount * PageSize;
        if (block.PageCount is < 1 or > BlockPagesMax || block.StoredLength < 1) return false;
        return block.Encoding <= _highestEncoding && block.Encoding switch
        {
            StoredEncoding.Plain or StoredEncoding.PlainByPage =>
                block.StoredLength == length && block.ElementSize == 0,
            StoredEncoding.Lz4 => block.StoredLength <= length && block.ElementSize == 0,
            StoredEncoding.ShuffleLz4 =>
                block.StoredLength <= length && BlockEncoder.IsElementSize(block.ElementSize),
            StoredEncoding.DifferenceShuffleLz4 =>
                block.StoredLength <= length && ElementDifference.IsElementSize(block.ElementSize),
            _ => false,
        };
    }

    private static string NameOf(uint id)
    {
        Span<char> name = stackalloc char[4];
        for (int i = 0; i < 4; i++)
        {
            char letter = (char)((id >> (8 * i)) & 0xFF);
            name[i] = char.IsAsciiLetterOrDigit(letter) ? letter : '?';
        }

        return $"'{name}'";
    }
}
