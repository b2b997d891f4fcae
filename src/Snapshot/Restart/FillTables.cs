using System.Runtime.InteropServices;
using Snapshot.Base;
using Snapshot.Image;
using Snapshot.Interop;
using Snapshot.Storage;

namespace Snapshot.Restart;

/// <summary>A restart plan as the native part reads it: blocks, runs and ranges, in memory that never moves.</summary>
internal sealed unsafe class FillTables : IDisposable
{
    /// <summary>
    /// Each range is a mapping of its own to the kernel, which limits their number in a process (65,530 by default).
    /// </summary>
    private const int RangesMax = 1024;

    private readonly List<FillBlock> _blocks = [];
    private readonly List<FillExtent> _runs = [];
    private FillState* _state;

    private FillTables()
    {
    }

    /// <summary>Not to be used after <see cref="Dispose"/>.</summary>
    internal FillState* State => _state;

    internal ReadOnlySpan<FillRange> Ranges => new(_state->Ranges, (int)_state->RangeCount);

    internal ReadOnlySpan<FillBlock> Blocks => new(_state->Blocks, (int)_state->BlockCount);

    internal long PageCount { get; private set; }

    /// <summary>What the first failure was, or null. The words are those of <see cref="ImageReader"/>.</summary>
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
            _ => NativeError.For(_state->FailedError, "UFFDIO_COPY", "Leave more memory free."),
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
            for (int image = 0; image < plan.Chain.Count; image++)
                tables.AddImage(plan.Chain[image], image, plan.RunsOf(image, only), targets);
            tables.Finish(plan);
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
        NativeMemory.Free(_state->Ranges);
        NativeMemory.Free(_state);
        _state = null;
    }

    private void AddImage(ImageReader reader, int image, FillRun[] runs, IReadOnlyList<FillTarget> targets)
    {
        ReadOnlySpan<ImageBlock> blocks = reader.Blocks;
        int last = -1;
        foreach (FillRun run in runs)
        {
            FillTarget target = targets[run.Region];
            int block = reader.BlockOf(run.FirstOrdinal);
            _runs.Add(new FillExtent
            {
                Address = (ulong)target.Address + (ulong)Pages.Bytes(run.Target.Start),
                Ordinal = (ulong)run.FirstOrdinal,
                Hashes = target.Hashes.AddressOf(run.Target.Start),
                PageCount = checked((uint)run.Target.Count),
                Image = (uint)image,
                Block = (uint)(block == last ? _blocks.Count - 1 : _blocks.Count),
            });
            PageCount += run.Target.Count;
            for (; block < blocks.Length && blocks[block].FirstOrdinal < run.EndOrdinal; block++)
            {
                if (block != last) AddBlock(blocks[block], block, image);
                last = block;
                Want(blocks[block], run);
            }
        }
    }

    private void AddBlock(in ImageBlock block, int number, int image) => _blocks.Add(new FillBlock
    {
        Offset = (ulong)block.Offset,
        Checksum = block.Checksum,
        Ordinal = (ulong)block.FirstOrdinal,
        Stored = (uint)block.StoredLength,
        Run = (uint)(_runs.Count - 1),
        Number = (uint)number,
        Image = checked((ushort)image),
        PageCount = (byte)block.PageCount,
        Encoding = (byte)block.Encoding,
        ElementSize = block.ElementSize,
    });

    /// <summary>Adds the pages of a run to what is wanted of the block added last.</summary>
    private void Want(in ImageBlock block, in FillRun run)
    {
        int from = (int)(Math.Max(run.FirstOrdinal, block.FirstOrdinal) - block.FirstOrdinal);
        int to = (int)(Math.Min(run.EndOrdinal, block.FirstOrdinal + block.PageCount) - block.FirstOrdinal);
        ulong bits = to - from == 64 ? ulong.MaxValue : ((1UL << (to - from)) - 1) << from;
        CollectionsMarshal.AsSpan(_blocks)[^1].Wanted |= bits;
    }

    private void Finish(RestartPlan plan)
    {
        uint[] byAddress = new uint[_runs.Count];
        ulong[] addresses = new ulong[_runs.Count];
        for (int run = 0; run < _runs.Count; run++) (byAddress[run], addresses[run]) = ((uint)run, _runs[run].Address);
        Array.Sort(addresses, byAddress);

        // One more than there are: the end is where the name is null.
        _state->Images = (FillImage*)NativeMemory.AllocZeroed((nuint)plan.Chain.Count + 1, (nuint)sizeof(FillImage));
        for (int image = 0; image < plan.Chain.Count; image++)
        {
            ImageReader reader = plan.Chain[image];
            _state->Images[image].Name = (byte*)Marshal.StringToCoTaskMemUTF8(reader.Name);
            _state->Images[image].Descriptor = (int)reader.File!.DangerousGetHandle();
        }

        List<FillRange> ranges = MakeRanges(byAddress);
        _state->Blocks = Copy(CollectionsMarshal.AsSpan(_blocks));
        _state->Runs = Copy(CollectionsMarshal.AsSpan(_runs));
        _state->ByAddress = Copy(byAddress.AsSpan());
        _state->Ranges = Copy(CollectionsMarshal.AsSpan(ranges));
        _state->BlockCount = _state->Remaining = (uint)_blocks.Count;
        _state->RunCount = (uint)_runs.Count;
        _state->RangeCount = (uint)ranges.Count;
        _blocks.Clear();
        _runs.Clear();
    }

    /// <summary>
    /// The runs by address, widened to whole huge pages, and merged over ever larger gaps until they are few enough.
    /// Arenas begin at huge pages and lie far apart, so a range never reaches from one into another.
    /// </summary>
    private List<FillRange> MakeRanges(uint[] byAddress)
    {
        List<FillRange> ranges = [];
        foreach (uint run in byAddress)
        {
            ulong start = _runs[(int)run].Address & ~(ulong)(Pages.HugeSize - 1);
            ulong end = _runs[(int)run].Address + (ulong)Pages.Bytes(_runs[(int)run].PageCount);
            end = (end + Pages.HugeSize - 1) & ~(ulong)(Pages.HugeSize - 1);
            Append(ranges, new FillRange { Start = start, End = end }, gap: 0);
        }

        for (ulong gap = Pages.HugeSize; ranges.Count > RangesMax && gap < Memory.AddressSpace.Gap; gap *= 2)
        {
            List<FillRange> merged = [];
            foreach (FillRange range in ranges) Append(merged, range, gap);
            ranges = merged;
        }

        return ranges;
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

    private static T* Copy<T>(Span<T> items) where T : unmanaged
    {
        T* copy = (T*)NativeMemory.Alloc((nuint)Math.Max(items.Length, 1), (nuint)sizeof(T));
        items.CopyTo(new Span<T>(copy, items.Length));
        return copy;
    }
}
