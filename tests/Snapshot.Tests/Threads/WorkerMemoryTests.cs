using System.Runtime.CompilerServices;
using CsCheck;
using Snapshot.Tests.Memory;
using Snapshot.Threads.Fibers;
using Xunit;

namespace Snapshot.Tests.Threads;

/// <summary>What a worker has in its arena: the pool of frames, the timers, the list of the ready.</summary>
public sealed unsafe class WorkerMemoryTests : IDisposable
{
    private readonly Arena _arena = ArenaTesting.Make();

    public void Dispose() => _arena.Close();

    [Fact]
    public void Blocks_of_every_size_hold_what_was_written_and_never_overlap()
    {
        Gen.Select(Gen.Int[1, 3000].Array[1, 60], Gen.Int[1, 200_000].Array[0, 4], Gen.Int[0, int.MaxValue])
            .Sample((small, large, order) =>
            {
                FramePool pool = default;
                int[] sizes = [.. small, .. large];
                new Random(order).Shuffle(sizes);
                long before = _arena.AllocatedBytes;
                (nint At, byte SizeClass)[] blocks = new (nint, byte)[sizes.Length];
                for (int i = 0; i < sizes.Length; i++)
                {
                    byte* block = pool.Take(_arena, sizes[i], out blocks[i].SizeClass);
                    Assert.Equal(0, (nint)block % 32);
                    new Span<byte>(block, sizes[i]).Fill((byte)(i + 1));
                    blocks[i].At = (nint)block;
                }

                Assert.Equal(sizes.Length, pool.LiveCells);
                for (int i = 0; i < sizes.Length; i++)
                {
                    Assert.Equal(
                        -1, new Span<byte>((void*)blocks[i].At, sizes[i]).IndexOfAnyExcept((byte)(i + 1)));
                    pool.Give(_arena, (void*)blocks[i].At, blocks[i].SizeClass);
                }

                Assert.Equal(0, pool.LiveCells);
                pool.Release(_arena);
                Assert.Equal(before, _arena.AllocatedBytes);
            }, iter: 200, threads: 1);
    }

    [Theory]
    [InlineData(1, 32)]
    [InlineData(33, 64)]
    [InlineData(1024, 993)]
    [InlineData(1025, 2048)]
    [InlineData(65_536, 32_769)]
    public void A_block_that_was_given_back_is_the_next_of_its_class(int first, int second)
    {
        FramePool pool = default;
        byte* other = pool.Take(_arena, first, out _);
        byte* block = pool.Take(_arena, first, out byte sizeClass);
        pool.Give(_arena, block, sizeClass);
        Assert.True(block == pool.Take(_arena, second, out byte again) && again == sizeClass);
        Assert.True(other != block);
    }

    [Fact]
    public void A_pool_grows_by_larger_and_larger_chunks_and_reuses_them()
    {
        FramePool pool = default;
        nint[] blocks = new nint[40_000];
        byte sizeClass = 0;
        for (int i = 0; i < blocks.Length; i++) blocks[i] = (nint)pool.Take(_arena, 200, out sizeClass);
        Assert.Equal(blocks.Length, blocks.Distinct().Count());
        long full = _arena.AllocatedBytes;
        foreach (nint block in blocks) pool.Give(_arena, (void*)block, sizeClass);
        for (int i = 0; i < blocks.Length; i++) pool.Take(_arena, 200, out _);
        Assert.Equal(full, _arena.AllocatedBytes);
        Assert.InRange(full, 40_000 * 224, 40_000 * 224 + (4 << 20));
    }

    [Fact]
    public void An_arena_that_is_full_leaves_a_pool_as_it_was()
    {
        Arena small = ArenaTesting.Make(16 << 20, name: "small");
        using ArenaCloser smallCloser = new(small);
        FramePool pool = default;
        pool.Take(small, 100, out _);
        ArenaTesting.Full(() =>
        {
            while (true) pool.Take(small, 50_000, out _);
        });
        long live = pool.LiveCells;
        ArenaTesting.Full(() => pool.Take(small, 16 << 20, out _));
        Assert.Equal(live, pool.LiveCells);
        pool.Take(small, 100, out _);
    }

    [Fact]
    public void Timers_are_as_a_sorted_list()
    {
        Gen.Int[0, 1000].Array[1, 400].Sample(
            deadlines =>
            {
                FiberTimers timers = default;
                FiberRecord* fibers =
                    (FiberRecord*)_arena.Allocate((long)deadlines.Length * sizeof(FiberRecord));
                List<(long Deadline, int Fiber)> sorted = [];
                for (int i = 0; i < deadlines.Length; i++)
                {
                    timers.Add(_arena, fibers + i, deadlines[i]);
                    sorted.Add((deadlines[i], i));

                    // Now and then one is woken before its time, and the earliest fires.
                    if (deadlines[i] % 3 == 0) Remove(deadlines[i] % sorted.Count);
                    if (deadlines[i] % 5 == 0 && sorted.Count > 0) RemoveFirst();
                }

                while (sorted.Count > 0) RemoveFirst();
                Assert.Equal(0, timers.Count);
                timers.Release(_arena);
                _arena.Free(fibers);

                void Remove(int at)
                {
                    timers.Remove(fibers + sorted[at].Fiber);
                    Assert.Equal(0, fibers[sorted[at].Fiber].Timer);
                    sorted.RemoveAt(at);
                    Assert.Equal(sorted.Count, timers.Count);
                }

                void RemoveFirst()
                {
                    long earliest = sorted.Min(entry => entry.Deadline);
                    Assert.Equal(earliest, timers.Earliest);
                    int fiber = (int)(timers.First - fibers);
                    Remove(sorted.IndexOf((earliest, fiber)));
                }
            }, iter: 200, threads: 1);
    }

    [Fact]
    public void The_ready_go_on_in_order_and_who_was_held_up_before_them()
    {
        FiberRecord* fibers = (FiberRecord*)_arena.Allocate(4L * sizeof(FiberRecord));
        ReadyFibers ready = default;
        Assert.True(ready.Take() == null);
        ready.Add(fibers);
        ready.Add(fibers + 1);
        ready.AddFirst(fibers + 2);
        Assert.True(ready.Take() == fibers + 2);
        ready.Add(fibers + 2);
        Assert.True(ready.Take() == fibers);
        Assert.True(ready.Take() == fibers + 1);
        Assert.True(ready.Take() == fibers + 2);
        Assert.True(ready.Take() == null);
        ready.AddFirst(fibers + 3);
        Assert.Equal(FiberStatus.Ready, fibers[3].Status);
        ready.Add(fibers);
        Assert.True(ready.Take() == fibers + 3);
        Assert.True(ready.Take() == fibers);
        Assert.True(ready.Take() == null);
    }
}
