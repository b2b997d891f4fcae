using System.Runtime.InteropServices;
using Snapshot.Base;
using Snapshot.Image;
using Snapshot.Interop;
using Snapshot.Storage;

namespace Snapshot.Restart;

/// <summary>
/// A restart plan as the native part reads it: blocks, runs and ranges, in memory that never moves.
/// </summary>
internal sealed unsafe class FillTables : IDisposable
{
    /// <summary>
    /// Each range is a mapping of its own to the kernel, which limits their number in a process (65,530 by
    /// default).
    /// </summary>
    private const int RangesMax = 1024;

    private FillState* _state;

    private FillTables()
    {
    }

    /// <summary>Not to be used after <see cref="Dispose"/>.</summary>
    internal FillState* State => _state;

    internal ReadOnlySpan<FillRange> Ranges => new(_state->Ranges, (int)_state->RangeCount);

    internal ReadOnlySpan<FillBlock> Blocks => new(_state->Blocks, (int)_state->BlockCount);

    internal long PageCount { get; private set; }

    /// <summary>
    /// What the first failure was, or null. The words are those of <see cref="ImageReader"/>.
    /// </summary>
    internal SnapshotException? FailureOf(RestartPlan plan)
    {
        if (Volatile.Read(ref _state->Failed) != 1) return null;
        FillBlock block = Blocks[(int)_state->FailedBlock];
        string name = plan.Chain[block.Image].Name;
        long offset = (long)block.Offset;
        return _state->FailedKind switch
        {
            FillFailure.Checksum => ImageErrors.Corrupt(
                name, offset, $"the checksum of block {block.Number} is wrong"),
            FillFailure.Decode => ImageErrors.Corrupt(
                name, offset, $"a block of {block.PageCount} pages does not decode to that many"),
            FillFailure.Read when _state->FailedError == 0 => StoreErrors.Io(
                "reading", name, offset, new EndOfStreamException("the file ended before its length")),
            FillFailure.Read => StoreErrors.Io("reading", name, offset, _state->FailedError),
            _ => NativeError.ForMemory(_state->FailedError, "UFFDIO_COPY", "Leave more memory free."),
        };
    }

    /// <param name="plan">What to read. Images must be files.</param>
    /// <param name="targets">Where it goes, for each region of the plan.</param>
    /// <param name="only">Regions of this kind alone; null for all.</param>
    internal static FillTables Build(RestartPlan plan, IReadOnlyList<FillTarget> targets, RegionKind? only)
    {
        FillTables tables = new();
        try
        {
            tables._state = (FillState*)NativeMemory.AllocZeroed((nuint)sizeof(FillState));
            tables.AddImages(plan.Chain);
            int[] runEnds = tables.AddRuns(plan, targets, only);
            tables.AddBlocks(plan.Chain, runEnds);
            tables.AddRanges();
            return tables;
        }
        catch
        {
            tables.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        if (_state is null) return;
        for (nuint image = 0; _state->Images is not null && _state->Images[image].Name is not null; image++)
            Marshal.FreeCoTaskMem((nint)_state->Images[image].Name);
        NativeMemory.Free(_state->Images);
        NativeMemory.Free(_state->Blocks);
        NativeMemory.Free(_state->Runs);
        NativeMemory.Free(_state->ByAddress);
        NativeMemory.Free(_state->Order);
        NativeMemory.Free(_state->Ranges);
        NativeMemory.Free(_state);
        _state = null;
    }

    private void AddImages(IReadOnlyList<ImageReader> chain)
    {
        // One more than there are: the end is where the name is null.
        _state->Images =
            (FillImage*)NativeMemory.AllocZeroed((nuint)chain.Count + 1, (nuint)sizeof(FillImage));
        for (int image = 0; image < chain.Count; image++)
        {
            _state->Images[image].Name = (byte*)Marshal.StringToCoTaskMemUTF8(chain[image].Name);
            _state->Images[image].Descriptor = (int)chain[image].File!.DangerousGetHandle();
        }
    }

    /// <summary>
    /// Adds the runs image by image, each in the order of its page stream, and their order by address.
    /// Nothing is sorted but the regions: a chain of random increments has a run for every other page.
    /// Returns where the runs of each image end.
    /// </summary>
    private int[] AddRuns(RestartPlan plan, IReadOnlyList<FillTarget> targets, RegionKind? only)
    {
        int[] wanted = [.. Enumerable.Range(0, plan.Regions.Count)
            .Where(region => only is null || plan.Regions[region].Description.Kind == only)
            .OrderBy(region => (ulong)targets[region].Address)];
        int[,] places = new int[plan.Chain.Count, plan.Regions.Count];
        foreach (int region in wanted)
        {
            foreach (ref readonly ChainRun run in plan.Regions[region].Runs)
            {
                if (run.Kind == ExtentKind.Present) places[run.Image, region]++;
            }
        }

        int[] ends = new int[plan.Chain.Count];
        int count = ToPlaces(plan, places, ends);
        _state->RunCount = (uint)count;
        _state->Runs = (FillExtent*)NativeMemory.Alloc((nuint)Math.Max(count, 1), (nuint)sizeof(FillExtent));
        _state->ByAddress = (uint*)NativeMemory.Alloc((nuint)Math.Max(count, 1), sizeof(uint));
        uint* byAddress = _state->ByAddress;
        foreach (int region in wanted)
        {
            FillTarget target = targets[region];
            foreach (ref readonly ChainRun run in plan.Regions[region].Runs)
            {
                if (run.Kind != ExtentKind.Present) continue;
                int place = places[run.Image, region]++;
                _state->Runs[place] = new FillExtent
                {
                    Address = (ulong)target.Address + (ulong)Pages.Bytes(run.FirstPage),
                    Ordinal = (ulong)run.FirstOrdinal,
                    Hashes = target.Hashes.AddressOf(run.FirstPage),
                    PageCount = checked((uint)run.PageCount),
                    Image = (uint)run.Image,
                };
                *byAddress++ = (uint)place;
                PageCount += run.PageCount;
            }
        }

        return ends;
    }

    /// <summary>
    /// Turns how many runs a region has in an image into the place of the first one. Regions are in the order
    /// of that image's page stream, which need not be that of the newest.
    /// </summary>
    private static int ToPlaces(RestartPlan plan, int[,] places, int[] ends)
    {
        Dictionary<int, int> regionOf = [];
        for (int region = 0; region < plan.Regions.Count; region++)
            regionOf.Add(plan.Regions[region].Description.Id, region);
        int next = 0;
        for (int image = 0; image < plan.Chain.Count; image++)
        {
            foreach (ImageRegion inImage in plan.Chain[image].Regions)
            {
                if (!regionOf.TryGetValue(inImage.Description.Id, out int region)) continue;
                int count = places[image, region];
                places[image, region] = next;
                next = checked(next + count);
            }

            ends[image] = next;
        }

        return next;
    }

    private void AddBlocks(IReadOnlyList<ImageReader> chain, int[] runEnds)
    {
        int most = 0;
        for (int image = 0; image < chain.Count; image++)
        {
            int begin = image > 0 ? runEnds[image - 1] : 0;
            if (runEnds[image] > begin) most = checked(most + chain[image].Blocks.Length);
        }

        _state->Blocks = (FillBlock*)NativeMemory.Alloc((nuint)Math.Max(most, 1), (nuint)sizeof(FillBlock));
        _state->Order = (uint*)NativeMemory.Alloc((nuint)Math.Max(most, 1), sizeof(uint));
        for (int image = 0, run = 0; image < chain.Count; image++)
        {
            uint first = _state->BlockCount;
            int numbers = AddBlocks(chain[image], image, run, runEnds[image]);
            AddOrder(chain[image], first, numbers);
            run = runEnds[image];
        }

        _state->Remaining = _state->BlockCount;
    }

    /// <summary>
    /// Adds the blocks of an image that have wanted pages; returns the number behind the last.
    /// </summary>
    private int AddBlocks(ImageReader reader, int image, int run, int end)
    {
        ReadOnlySpan<ImageBlock> blocks = reader.Blocks;
        int number = 0, last = -1;
        for (; run < end; run++)
        {
            ref FillExtent extent = ref _state->Runs[run];
            long from = (long)extent.Ordinal, to = from + extent.PageCount;
            while (blocks[number].FirstOrdinal + blocks[number].PageCount <= from) number++;
            extent.Block = number == last ? _state->BlockCount - 1 : _state->BlockCount;
            for (; number < blocks.Length && blocks[number].FirstOrdinal < to; number++)
            {
                if (number != last)
                    _state->Blocks[_state->BlockCount++] = Unwanted(blocks[number], number, image, run);
                last = number;
                Want(ref _state->Blocks[_state->BlockCount - 1], from, to);
            }

            number = last; // the next run may begin in it
        }

        return last + 1;
    }

    private static FillBlock Unwanted(in ImageBlock block, int number, int image, int run) => new()
    {
        Offset = (ulong)block.Offset,
        Checksum = block.Checksum,
        Ordinal = (ulong)block.FirstOrdinal,
        Stored = (uint)block.StoredLength,
        Run = (uint)run,
        Number = (uint)number,
        Image = checked((ushort)image),
        PageCount = (byte)block.PageCount,
        Encoding = (byte)block.Encoding,
        ElementSize = block.ElementSize,
    };

    /// <summary>Adds the pages of a run to what is wanted of a block.</summary>
    private static void Want(ref FillBlock block, long from, long to)
    {
        long first = (long)block.Ordinal;
        int start = (int)(Math.Max(from, first) - first);
        int end = (int)(Math.Min(to, first + block.PageCount) - first);
        block.Wanted |= end - start == 64 ? ulong.MaxValue : ((1UL << (end - start)) - 1) << start;
    }

    /// <summary>
    /// Blocks are streamed in the order of the file: neighbours there are read at once, wherever their pages
    /// go.
    /// </summary>
    private void AddOrder(ImageReader reader, uint first, int numbers)
    {
        uint at = first;
        if (!reader.HasFileOrder)
        {
            for (; at < _state->BlockCount; at++) _state->Order[at] = at;
            return;
        }

        uint[] indexes = new uint[numbers]; // one more than the index, or 0
        for (uint index = first; index < _state->BlockCount; index++)
            indexes[_state->Blocks[index].Number] = index + 1;
        for (int place = 0; place < reader.Blocks.Length; place++)
        {
            int number = reader.BlockInFile(place);
            if (number < numbers && indexes[number] > 0) _state->Order[at++] = indexes[number] - 1;
        }
    }

    /// <summary>
    /// The runs by address, widened to whole huge pages, and merged over ever larger gaps until they are few
    /// enough. Arenas begin at huge pages and lie far apart, so a range never reaches from one into another.
    /// </summary>
    private void AddRanges()
    {
        List<FillRange> ranges = [];
        for (uint place = 0; place < _state->RunCount; place++)
        {
            ref readonly FillExtent run = ref _state->Runs[_state->ByAddress[place]];
            ulong start = run.Address & ~(ulong)(Pages.HugeSize - 1);
            ulong end = run.Address + (ulong)Pages.Bytes(run.PageCount);
            end = (end + Pages.HugeSize - 1) & ~(ulong)(Pages.HugeSize - 1);
            Append(ranges, new FillRange { Start = start, End = end }, gap: 0);
        }

        for (ulong gap = Pages.HugeSize; ranges.Count > RangesMax && gap < Memory.AddressSpace.Gap; gap *= 2)
        {
            List<FillRange> merged = [];
            foreach (FillRange range in ranges) Append(merged, range, gap);
            ranges = merged;
        }

        _state->RangeCount = (uint)ranges.Count;
        _state->Ranges =
            (FillRange*)NativeMemory.Alloc((nuint)Math.Max(ranges.Count, 1), (nuint)sizeof(FillRange));
        CollectionsMarshal.AsSpan(ranges).CopyTo(new Span<FillRange>(_state->Ranges, ranges.Count));
    }

    private static void Append(List<FillRange> ranges, FillRange range, ulong gap)
    {
        if (ranges.Count == 0 || range.Start > ranges[^1].End + gap)
        {
            ranges.Add(range);
            return;
        }

        ref FillRange last = ref CollectionsMarshal.AsSpan(ranges)[^1];
        last.End = Math.Max(last.End, range.End);
    }
}
