using System.Runtime.InteropServices;
using Snapshot.Image;
using Snapshot.Interop;
using Snapshot.Restart;
using Snapshot.Storage;
using Snapshot.Tests.Image;
using Snapshot.Tracking;
using Xunit;

namespace Snapshot.Tests.Storage;

/// <summary>Images whose blocks lie in the file in random order, in what reads images.</summary>
public sealed class UnitStoreTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("snapshot-units-").FullName;
    private readonly StoreScript _script = new(seed: 6, inUnits: true, pagesMax: 900);

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task A_chain_is_verified_and_compacted()
    {
        using SnapshotStore store = SnapshotStore.Open(_directory);
        for (int generation = 1; generation <= 3; generation++) _script.Commit(store, full: generation == 1);
        Assert.True(
            Newest(store, image => image.BlockInFile(0) != 0), "the order of the file is that of the stream");
        await _script.AssertHolds(store);
        await store.CompactAsync(3);
        await _script.AssertHolds(store);
    }

    [Fact]
    public async Task A_damaged_block_is_found_where_it_lies()
    {
        long offset;
        using (SnapshotStore store = SnapshotStore.Open(_directory))
        {
            GenerationInfo info = _script.Commit(store, full: true);
            offset = Newest(store, image => image.Blocks[0].Offset);
            Assert.NotEqual(4096, offset);
            using FileStream file = File.OpenWrite(Path.Combine(_directory, info.FileName));
            file.Position = offset + 5;
            file.WriteByte(0x5A);
        }

        using SnapshotStore reader = SnapshotStore.OpenReadOnly(_directory);
        VerifyReport report = await reader.VerifyAsync();
        VerifyProblem problem = Assert.Single(report.Problems);
        Assert.Equal((SnapshotErrorCode.Corrupt, offset), (problem.Code, problem.Offset));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public unsafe void The_tables_of_a_restart_fill_memory_with_what_was_written(int threads)
    {
        using SnapshotStore store = SnapshotStore.Open(_directory);
        for (int generation = 1; generation <= 3; generation++) _script.Commit(store, full: generation == 1);
        using RestartPlan plan = RestartPlan.Make(store, 3);
        List<FillTarget> targets = Targets(plan);

        EagerFill.Run(plan, targets, threads);
        for (int i = 0; i < targets.Count; i++)
        {
            byte[] expected = _script.Content[3][plan.Regions[i].Description.Id];
            bool same =
                expected.AsSpan().SequenceEqual(new ReadOnlySpan<byte>(targets[i].Address, expected.Length));
            Free(targets[i]);
            Assert.True(same, $"region {i} differs");
        }
    }

    [Fact]
    public unsafe void The_tables_of_a_restart_have_the_orders_that_the_C_part_relies_on()
    {
        using SnapshotStore store = SnapshotStore.Open(_directory);
        for (int generation = 1; generation <= 3; generation++) _script.Commit(store, full: generation == 1);
        using RestartPlan plan = RestartPlan.Make(store, 3);
        List<FillTarget> targets = Targets(plan);
        using FillTables tables = FillTables.Build(plan, targets, only: null);
        FillState* state = tables.State;
        FillExtent[] runs = new ReadOnlySpan<FillExtent>(state->Runs, (int)state->RunCount).ToArray();
        FillBlock[] blocks = tables.Blocks.ToArray();
        FillBlock[] streamed = [.. Taken(state->Order, state->BlockCount).Select(index => blocks[index])];
        FillExtent[] byAddress = [.. Taken(state->ByAddress, state->RunCount).Select(index => runs[index])];
        targets.ForEach(Free);

        Assert.Equal(3, runs.Select(run => run.Image).Distinct().Count());
        Assert.Equal(runs.OrderBy(run => run.Image).ThenBy(run => run.Ordinal), runs);
        Assert.Equal(runs.OrderBy(run => run.Address), byAddress);
        Assert.Equal(blocks.OrderBy(block => block.Image).ThenBy(block => block.Ordinal), blocks);
        Assert.Equal(blocks.OrderBy(block => block.Image).ThenBy(block => block.Offset), streamed);
        Assert.NotEqual(blocks, streamed);
        Assert.Equal(tables.PageCount, runs.Sum(run => run.PageCount));
        Assert.Equal(tables.PageCount, blocks.Sum(block => (long)ulong.PopCount(block.Wanted)));
        Assert.All(runs, run => Assert.True(Has(blocks[run.Block], run.Image, run.Ordinal)));
        Assert.All(blocks, block => Assert.True(
            runs[block.Run].Image == block.Image &&
            runs[block.Run].Ordinal < block.Ordinal + block.PageCount));
    }

    private static bool Has(in FillBlock block, uint image, ulong ordinal) =>
        block.Image == image && ordinal - block.Ordinal < block.PageCount;

    private static unsafe uint[] Taken(uint* indexes, uint count) =>
        new ReadOnlySpan<uint>(indexes, (int)count).ToArray();

    private static unsafe List<FillTarget> Targets(RestartPlan plan)
    {
        List<FillTarget> targets = [];
        foreach (ChainRegion region in plan.Regions)
        {
            long pages = region.Description.CommittedPages;
            byte* memory = (byte*)NativeMemory.AlignedAlloc((nuint)Math.Max(pages, 1) * 4096, 4096);
            NativeMemory.Clear(memory, (nuint)pages * 4096);
            targets.Add(new FillTarget(memory, pages, new PageHashes(pages)));
        }

        return targets;
    }

    private static unsafe void Free(FillTarget target)
    {
        NativeMemory.AlignedFree(target.Address);
        target.Hashes.Dispose();
    }

    private static T Newest<T>(SnapshotStore store, Func<ImageReader, T> look)
    {
        IReadOnlyList<ImageReader> chain = store.OpenChain(store.Newest!.Generation);
        T seen = look(chain[0]);
        foreach (ImageReader image in chain) image.Dispose();
        return seen;
    }
}
