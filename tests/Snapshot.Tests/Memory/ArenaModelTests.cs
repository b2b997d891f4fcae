using CsCheck;
using Snapshot.Base;
using Xunit;
using static Snapshot.Tests.Memory.ArenaTesting;

namespace Snapshot.Tests.Memory;

/// <summary>The allocator against a managed model of it: who owns which bytes, and what they hold.</summary>
public sealed unsafe class ArenaModelTests
{
    private sealed class Owned
    {
        internal nint Address;
        internal int Bytes;
        internal byte Mark;
    }

    private sealed class Model : IDisposable
    {
        private readonly Arena _arena = Make(64 * MiB);
        private readonly List<Owned> _live = [];
        private byte _mark;

        internal void Allocate(int bytes, int alignment)
        {
            nint at = (nint)_arena.Allocate(bytes, alignment);
            Owned block = new() { Address = at, Bytes = bytes, Mark = (byte)(++_mark | 1) };
            Assert.Equal(0, at % alignment);
            Assert.DoesNotContain(
                _live, other => at < other.Address + other.Bytes && other.Address < at + bytes);
            Assert.True(IsZero((void*)block.Address, bytes), "memory handed out is not zero");
            new Span<byte>((void*)block.Address, bytes).Fill(block.Mark);
            _live.Add(block);
        }

        internal void Free(int pick)
        {
            if (_live.Count == 0) return;
            Owned block = _live[pick % _live.Count];
            _live.Remove(block);
            CheckContent(block);
            _arena.Free((void*)block.Address);
            Assert.Throws<ArgumentException>(() => _arena.Free((void*)block.Address));
        }

        internal void Exclude(int pick)
        {
            if (_live.Count == 0) return;
            Owned block = _live[pick % _live.Count];
            _arena.Exclude((void*)block.Address, block.Bytes);
            CheckContent(block);
        }

        internal void Finish()
        {
            _arena.CheckTables();
            CheckFreePages();
            while (_live.Count > 0) Free(_live.Count / 2);
            _arena.CheckTables();
            CheckFreePages();
            using PageBitmap excluded = Excluded(_arena);
            Assert.Equal(0, excluded.Count());
            Assert.Equal(0, _arena.AllocatedBytes);

            // The capacity is one chunk, so nothing but the first tables is left and all the rest is one run.
            using PageBitmap free = ArenaTesting.Free(_arena);
            Assert.True(free.NextRun(0, out PageRange run));
            Assert.Equal(_arena.Region.CommittedPages, run.End);
            Assert.Equal(run.Count, free.Count());
        }

        private void CheckFreePages()
        {
            using PageBitmap free = ArenaTesting.Free(_arena);
            foreach (Owned block in _live)
            {
                CheckContent(block);
                Assert.False(free.Contains(PageOf(_arena, (void*)block.Address)));
            }

            for (long at = 0; free.NextRun(at, out PageRange run); at = run.End)
            {
                byte* start = (byte*)_arena.BaseAddress + Pages.Bytes(run.Start);
                Assert.True(IsZero(start, Pages.Bytes(run.Count)), "a free run is not zero");
            }
        }

        private static void CheckContent(Owned block) =>
            Assert.Equal(-1, new Span<byte>((void*)block.Address, block.Bytes).IndexOfAnyExcept(block.Mark));

        public void Dispose() => _arena.Close();
    }

    [Fact]
    public void Allocations_never_overlap_keep_their_content_and_merge_when_freed()
    {
        Gen<int> small = Gen.Frequency((6, Gen.Int[1, 300]), (4, Gen.Int[300, 9000]));
        Gen<int> size =
            Gen.Frequency((10, small), (3, Gen.Int[9000, 100_000]), (1, Gen.Int[100_000, 3_000_000]));
        Gen<int> alignment =
            Gen.Int[0, 7].Select(pick => pick < 4 ? 16 : pick < 6 ? 64 : pick < 7 ? 4096 : 1 << 16);
        Gen<(int Kind, int Size, int Alignment, int Pick)> step =
            Gen.Select(Gen.Int[0, 9], size, alignment, Gen.Int[0, 9999]);
        step.Array[0, 120].Sample(
            steps =>
            {
                using Model model = new();
                foreach ((int kind, int bytes, int aligned, int pick) in steps)
                {
                    if (kind < 5) model.Allocate(bytes, aligned);
                    else if (kind < 9) model.Free(pick);
                    else model.Exclude(pick);
                }

                model.Finish();
            },
            iter: 60, threads: 1, seed: "0N0XIzNsQ0O2");
    }

    [Fact]
    public void Four_threads_allocate_and_free_without_taking_from_each_other()
    {
        Arena arena = Make(512 * MiB);
        using ArenaCloser arenaCloser = new(arena);
        Exception?[] errors = new Exception?[4];
        using Barrier start = new(4);
        Thread[] threads = [.. Enumerable.Range(0, 4).Select(index => new Thread(() => Run(index)))];
        foreach (Thread thread in threads) thread.Start();
        foreach (Thread thread in threads) thread.Join();
        Assert.All(errors, Assert.Null);
        Assert.Equal(0, arena.AllocatedBytes);
        arena.CheckTables();

        void Run(int index)
        {
            try
            {
                start.SignalAndWait();
                Random random = new(100 + index);
                List<(nint Address, int Bytes)> live = [];
                for (int i = 0; i < 5000 || live.Count > 0; i++)
                {
                    if (i < 5000 && (live.Count < 20 || random.Next(2) == 0))
                    {
                        int bytes = random.Next(8) == 0 ? random.Next(9000, 60_000) : random.Next(1, 2000);
                        nint address = (nint)arena.Allocate(bytes);
                        Assert.True(IsZero((void*)address, bytes), $"thread {index}: not zero");
                        new Span<byte>((void*)address, bytes).Fill((byte)(index + 1));
                        live.Add((address, bytes));
                    }
                    else
                    {
                        (nint address, int bytes) = live[random.Next(live.Count)];
                        live.Remove((address, bytes));
                        Assert.Equal(
                            -1, new Span<byte>((void*)address, bytes).IndexOfAnyExcept((byte)(index + 1)));
                        arena.Free((void*)address);
                    }
                }
            }
            catch (Exception error)
            {
                errors[index] = error;
            }
        }
    }

    [Fact]
    public void A_frozen_arena_holds_off_other_threads_until_the_scope_ends()
    {
        Arena arena = Make();
        using ArenaCloser arenaCloser = new(arena);
        using ManualResetEventSlim entered = new();
        Thread thread = new(() =>
        {
            entered.Set();
            arena.Allocate(1 << 20);
        });
        byte[] before;
        using (arena.LockTables())
        {
            before = Bytes(arena);
            thread.Start();
            entered.Wait();
            // The thread is on its way to the lock; it cannot end and the tables cannot change before the
            // scope does.
            Assert.False(thread.Join(20));
            Assert.True(Bytes(arena).AsSpan().SequenceEqual(before));
        }

        thread.Join();
        Assert.Equal(1 << 20, arena.AllocatedBytes);
    }
}
