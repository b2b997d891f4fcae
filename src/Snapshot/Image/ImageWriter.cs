using System.IO.Hashing;
using Snapshot.Base;

namespace Snapshot.Image;

/// <summary>
/// Writes one image: for each region <see cref="BeginRegion"/> and its extents in order, then
/// <see cref="Complete"/>. One thread calls; encoding and writing happen on threads of the writer. Equal
/// calls make equal files.
/// </summary>
/// <remarks>
/// <para>Pages may be written before their turn, as a unit: <see cref="BeginUnit"/>,
/// <see cref="AppendPages"/>…, <see cref="EndUnit"/>, at any time, in a region or outside. When the extents
/// have come to them, <see cref="AppendUnit"/> says where they are.</para>
/// <para>
/// The first failure of any stage, or the cancellation, is thrown by the next call; after it the writer can
/// only be disposed. Appending waits while all buffers are on their way and allocates nothing but the growth
/// of the lists of extents, blocks and units.</para>
/// </remarks>
internal sealed class ImageWriter : IDisposable
{
    private readonly ImageHeader _header;
    private readonly byte[] _headerPage;
    private readonly BlockPipeline _pipeline;
    private readonly List<WrittenRegion> _regions = [];
    private readonly HashSet<int> _regionIds = [];
    private readonly List<ulong> _extents = [];
    private readonly StreamOrder _order = new();
    private BlockBuffer? _block;

    // The block that was begun before the open unit: it goes on after it.
    private BlockBuffer? _blockBeside;
    private WrittenRegion? _region;
    private ExtentKind _runKind;
    private long _runPages;
    private long _regionPages;
    private long _presentPages;
    private bool _completed;

    internal ImageWriter(
        IImageSink sink, ImageHeader header, ImageWriterOptions? options = null,
        CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(header.Generation, 1);
        ArgumentOutOfRangeException.ThrowIfEqual(header.ImageId, Guid.Empty);
        if (header.Parent is { } parent)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(parent.Generation, 1);
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(parent.Generation, header.Generation);
            ArgumentOutOfRangeException.ThrowIfEqual(parent.ImageId, Guid.Empty);
        }

        _header = header;
        _headerPage = HeaderPages.MakeHeader(header);
        _pipeline = new BlockPipeline(sink, options ?? ImageWriterOptions.Default, cancellation);
        try
        {
            _pipeline.AppendDirectly(_headerPage);
        }
        catch
        {
            _pipeline.Dispose();
            throw;
        }
    }

    /// <summary>Ends the region before and starts the next one.</summary>
    internal void BeginRegion(RegionDescription region)
    {
        EndRegion();
        ArgumentOutOfRangeException.ThrowIfLessThan(region.Id, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(region.CommittedPages);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(region.CommittedPages, ImageExtent.PageCountMax);
        if (region.Kind == RegionKind.Buffer && Pages.Holding(region.ByteLength) != region.CommittedPages)
            throw new ArgumentException(
                $"buffer '{region.Name}' has {region.ByteLength} bytes but {region.CommittedPages} pages");
        if (region.Kind == RegionKind.Arena
            && (region.BaseAddress % Pages.Size != 0 ||
                region.CapacityBytes < Pages.Bytes(region.CommittedPages)))
        {
            throw new ArgumentException(
                $"arena '{region.Name}' is not aligned to a page, or committed beyond its capacity");
        }
        if (!_regionIds.Add(region.Id))
            throw new ArgumentException($"region {region.Id} was written already");
        _region = new WrittenRegion(region, _extents.Count);
        _regionPages = 0;
    }

    /// <summary>Adds pages without content: in parent, zero or excluded.</summary>
    internal void Append(ExtentKind kind, long pageCount)
    {
        if (kind is not (ExtentKind.InParent or ExtentKind.Zero or ExtentKind.Excluded))
            throw new ArgumentOutOfRangeException(nameof(kind), kind, "present pages need their content");
        if (kind == ExtentKind.InParent && _header.Parent is null)
            throw new InvalidOperationException("a full image has no parent that could hold pages");
        AddExtent(kind, pageCount);
    }

    /// <summary>
    /// Begins a unit: the pages appended until <see cref="EndUnit"/> are written now, in blocks of their own,
    /// and are no extent yet. A unit may be empty.
    /// </summary>
    /// <returns>The number of the unit, from 0.</returns>
    internal int BeginUnit()
    {
        if (_completed) throw new InvalidOperationException("the image is complete");
        int unit = _order.BeginUnit(_pipeline.SubmittedCount);
        (_blockBeside, _block) = (_block, null);
        return unit;
    }

    /// <summary>Ends the unit.</summary>
    internal void EndUnit()
    {
        if (_order.IsUnitOpen) EndBlock();
        _order.EndUnit(_pipeline.SubmittedCount);
        if (_block is not null && _blockBeside is not null) _pipeline.GiveBack(_block);
        _block = _blockBeside ?? _block;
        _blockBeside = null;
    }

    /// <summary>
    /// Adds the next pages of a unit as present pages. Extents of other kinds may come between them, other
    /// present pages may not. Every page of every unit is added once.
    /// </summary>
    internal void AppendUnit(int unit, long pageCount)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(pageCount);
        CheckRoom(pageCount);
        if (_order.Place(unit, pageCount))
        {
            EndBlock();
            _order.AddUnit(unit);
        }

        AddExtent(ExtentKind.Present, pageCount);
        _presentPages += pageCount;
    }

    /// <summary>
    /// Adds present pages, to the open unit if there is one; the bytes are copied before this returns.
    /// </summary>
    /// <param name="pages">Whole pages.</param>
    /// <param name="elementSize">Bytes of the elements in them (2, 4, 8 or 16 help the encoder), or 0 when
    /// not known.</param>
    /// <param name="hash">Of the page, where it is one and its hash is known.</param>
    internal void AppendPages(ReadOnlySpan<byte> pages, int elementSize, PageHash hash = default)
    {
        if (pages.Length % Pages.Size != 0)
            throw new ArgumentException("not a multiple of the page size", nameof(pages));
        if (hash.IsKnown && pages.Length != Pages.Size)
            throw new ArgumentException("the hash is that of one page", nameof(hash));
        while (pages.Length > 0)
        {
            Span<byte> room = Room();
            int part = Math.Min(pages.Length, room.Length);
            pages[..part].CopyTo(room);
            if (hash.IsKnown) RoomHashes()[0] = hash;
            pages = pages[part..];
            AppendRoom(part >> Pages.Shift, elementSize);
        }
    }

    /// <summary>
    /// Room for the next present pages, at least one and at most a block of them: what is written there from
    /// its start on, <see cref="AppendRoom"/> adds without a copy. Valid until anything else is called.
    /// </summary>
    internal Span<byte> Room()
    {
        _block ??= _pipeline.Rent();
        return _block.Pages.Span[(_block.PageCount * Pages.Size)..];
    }

    /// <summary>
    /// Where the hashes of the pages in <see cref="Room"/> go, of as many as are known and will be added.
    /// </summary>
    internal Span<PageHash> RoomHashes() => _block!.Hashes.AsSpan(_block.PageCount);

    /// <summary>Adds the first pages of <see cref="Room"/> as <see cref="AppendPages"/> does.</summary>
    internal void AppendRoom(int pageCount, int elementSize)
    {
        if (pageCount == 0) return;
        if (_order.IsUnitOpen)
        {
            _order.AddToUnit(pageCount);
        }
        else
        {
            _order.ThrowIfPlacing();
            AddExtent(ExtentKind.Present, pageCount);
            _presentPages += pageCount;
        }

        if (_block!.PageCount == 0) _block.ElementSize = elementSize;
        else if (_block.ElementSize != elementSize) _block.ElementSize = 0;
        _block.PageCount += pageCount;
        if (_block.PageCount == ImageFormat.BlockPagesMax) EndBlock();
    }

    /// <summary>
    /// Waits for the pipeline, writes index and footer. The file is complete then, but not synced.
    /// </summary>
    internal ImageSummary Complete(ImageMetadata metadata, CancellationToken cancellation = default)
    {
        _order.ThrowIfIncomplete();
        EndRegion();
        if (_completed) throw new InvalidOperationException("the image is complete");
        _completed = true;
        using CancellationTokenRegistration registration =
            cancellation.Register(() => _pipeline.Fail(new OperationCanceledException(cancellation)));
        EndBlock();
        _pipeline.Drain();

        long indexOffset = _pipeline.Position;
        FormatWriter index = IndexWriter.Write(
            HeaderPages.ChecksumOf(_headerPage), _pipeline.Blocks, _order, _regions, _extents, metadata);
        ulong indexChecksum = XxHash3.HashToUInt64(index.Written);
        _pipeline.AppendDirectly(index.Written);
        long length = _pipeline.Position + ImageFormat.PageSize;
        _pipeline.AppendDirectly(
            HeaderPages.MakeFooter(
                new ImageFooter(indexOffset, index.Length, indexChecksum, length, _header.ImageId)));
        _pipeline.Finish();
        return new ImageSummary(
            length, indexChecksum, _presentPages, indexOffset - ImageFormat.PageSize, _pipeline.Blocks.Count);
    }

    /// <summary>Stops the threads of the writer; what was written stays where it is.</summary>
    public void Dispose() => _pipeline.Dispose();

    /// <summary>
    /// Submits the block that is being filled; one without pages stays for what comes next.
    /// </summary>
    private void EndBlock()
    {
        if (_block is not { PageCount: > 0 }) return;
        int sequence = _pipeline.Submit(_block);
        if (!_order.IsUnitOpen) _order.Add(sequence);
        _block = null;
    }

    private void AddExtent(ExtentKind kind, long pageCount)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(pageCount);
        CheckRoom(pageCount);
        if (pageCount == 0) return;
        if (kind != _runKind) EndRun();
        _runKind = kind;
        _runPages += pageCount;
        _regionPages += pageCount;
    }

    private void CheckRoom(long pageCount)
    {
        if (_region is null || _completed)
            throw new InvalidOperationException("extents belong to a region; begin one first");
        if (pageCount > _region.Description.CommittedPages - _regionPages)
        {
            throw new InvalidOperationException(
                $"region '{_region.Description.Name}' has {_region.Description.CommittedPages} pages; " +
                $"{_regionPages} + {pageCount} are too many");
        }
    }

    private void EndRun()
    {
        if (_runPages > 0) _extents.Add(ImageExtent.Pack(_runKind, _runPages));
        _runPages = 0;
    }

    private void EndRegion()
    {
        if (_region is null) return;
        EndRun();
        if (_regionPages != _region.Description.CommittedPages)
        {
            throw new InvalidOperationException(
                $"region '{_region.Description.Name}' has {_region.Description.CommittedPages} pages, but " +
                $"extents for {_regionPages} were written");
        }

        _region.ExtentCount = _extents.Count - _region.FirstExtent;
        _regions.Add(_region);
        _region = null;
    }
}

/// <summary>A region as the writer collects it.</summary>
internal sealed class WrittenRegion(RegionDescription description, int firstExtent)
{
    internal RegionDescription Description => description;

    internal int FirstExtent => firstExtent;

    internal int ExtentCount { get; set; }
}
