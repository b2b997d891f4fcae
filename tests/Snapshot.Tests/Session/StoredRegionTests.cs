using Snapshot.Tests.Profiles;
using Xunit;

namespace Snapshot.Tests.Session;

/// <summary>Regions that are read from a store without a session, whatever happens to it meanwhile.</summary>
public sealed class StoredRegionTests : IDisposable
{
    private const int Count = 200_000;
    private const int Generations = 4;

    private static readonly StoreOptions s_keepsAll = new()
    {
        Retention = new RetentionPolicy { KeepLast = Generations },
        MaxStateMultiple = 100,
    };

    private readonly TemporaryStore _store = new();
    private readonly byte[] _buffer = GC.AllocateArray<byte>(10_001, pinned: true);

    // The arena from its first byte to the end of the array, and the buffer, by generation.
    private readonly List<byte[]> _arenas = [];
    private readonly List<byte[]> _buffers = [];

    public void Dispose() => _store.Dispose();

    [MachineFact]
    public void Each_generation_of_a_chain_is_read_as_it_was_captured()
    {
        MakeChain();
        using SnapshotStore store = SnapshotStore.OpenReadOnly(_store.Path);
        for (int generation = 1; generation <= Generations; generation++)
        {
            using StoredRegion arena = store.OpenRegion(generation, "state");
            Assert.Equal((generation, "state"), (arena.Generation, arena.Description.Name));
            byte[] expected = _arenas[generation - 1];
            Assert.InRange(arena.Length, expected.Length, long.MaxValue);
            AssertReads(arena, expected, 0, expected.Length);

            using StoredRegion buffer = store.OpenRegion(generation, "buffer");
            Assert.Equal(_buffer.Length, buffer.Length);
            AssertReads(buffer, _buffers[generation - 1], 0, _buffer.Length);
        }
    }

    /// <summary>Across pages, blocks and images, and not at their boundaries.</summary>
    [MachineFact]
    public void Any_bytes_can_be_read_alone()
    {
        MakeChain();
        Random random = new(1);
        using SnapshotStore store = SnapshotStore.OpenReadOnly(_store.Path);
        using StoredRegion arena = store.OpenRegion(Generations, "state");
        byte[] expected = _arenas[^1];
        for (int round = 0; round < 300; round++)
        {
            int offset = random.Next(expected.Length);
            AssertReads(arena, expected, offset, random.Next(Math.Min(400_000, expected.Length - offset)));
        }

        AssertReads(arena, expected, expected.Length - 1, 1);
        arena.Read(arena.Length, []);
    }

    [MachineFact]
    public unsafe void What_was_excluded_or_given_back_is_zero()
    {
        long offset;
        using (SnapshotSession session = SnapshotSession.Open(_store.Path))
        {
            Arena arena = session.OpenArena("state");
            ArenaArray<byte> scratch = arena.RootArray<byte>("scratch", 1 << 20);
            scratch.AsSpan().Fill(7);
            arena.Exclude(scratch);
            offset = (byte*)scratch.Pointer - (byte*)arena.BaseAddress;
            session.RequestCheckpoint().WaitCommittedInThread();
        }

        using SnapshotStore store = SnapshotStore.OpenReadOnly(_store.Path);
        byte[] read = new byte[1 << 19];
        Array.Fill(read, (byte)9);
        using StoredRegion memory = store.OpenRegion(1, "state");
        memory.Read(offset + 8192, read);
        Assert.Equal(-1, read.AsSpan().IndexOfAnyExcept((byte)0));
    }

    /// <summary>It has its images open; other readers and the writer do as they like.</summary>
    [MachineFact]
    public async Task Compacting_and_pruning_do_not_disturb_a_region_that_is_open()
    {
        MakeChain();
        using SnapshotStore reader = SnapshotStore.OpenReadOnly(_store.Path);
        using StoredRegion arena = reader.OpenRegion(Generations - 1, "state");
        byte[] expected = _arenas[Generations - 2];
        AssertReads(arena, expected, 0, expected.Length / 2);
        using (SnapshotStore writer = SnapshotStore.Open(_store.Path))
        {
            await writer.CompactAsync(Generations);
            await writer.PruneAsync(new RetentionPolicy { KeepLast = 1 });
            Assert.Equal([(long)Generations], writer.Generations.Select(info => info.Generation));
        }

        AssertReads(arena, expected, expected.Length / 2, expected.Length / 2);
        using SnapshotStore after = SnapshotStore.OpenReadOnly(_store.Path);
        using StoredRegion compacted = after.OpenRegion(Generations, "state");
        AssertReads(compacted, _arenas[^1], 0, _arenas[^1].Length);
    }

    [MachineFact]
    public void What_is_not_there_is_said()
    {
        MakeChain();
        using SnapshotStore store = SnapshotStore.OpenReadOnly(_store.Path);
        SnapshotException none = Assert.Throws<SnapshotException>(() => store.OpenRegion(99, "state"));
        Assert.Equal(SnapshotErrorCode.NotFound, none.Code);
        SnapshotException misspelt = Assert.Throws<SnapshotException>(() => store.OpenRegion(2, "stat"));
        Assert.Equal(SnapshotErrorCode.NotFound, misspelt.Code);
        Assert.Contains(
            "no region 'stat'. It has: 'state', 'buffer'.", misspelt.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => store.OpenRegion(2, ""));

        StoredRegion region = store.OpenRegion(2, "buffer");
        Assert.Throws<ArgumentOutOfRangeException>(() => region.Read(-1, new byte[1]));
        Assert.Throws<ArgumentOutOfRangeException>(() => region.Read(_buffer.Length, new byte[1]));
        Assert.Throws<ArgumentOutOfRangeException>(() => region.Read(1, new byte[_buffer.Length]));
        region.Dispose();
        region.Dispose();
        Assert.Throws<ObjectDisposedException>(() => region.Read(0, new byte[1]));
    }

    /// <summary>Damage is told where it is, and what is beside it is still read.</summary>
    [MachineFact]
    public void A_damaged_block_is_told_and_the_others_are_read()
    {
        MakeChain();
        using SnapshotStore store = SnapshotStore.OpenReadOnly(_store.Path);
        string name = store.Generations[0].FileName;
        using (FileStream file = new(Path.Combine(_store.Path, name), FileMode.Open, FileAccess.ReadWrite))
        {
            file.Position = 4096 + 100; // in the first block
            int value = file.ReadByte();
            file.Position = 4096 + 100;
            file.WriteByte((byte)(value ^ 1));
        }

        using StoredRegion arena = store.OpenRegion(1, "state");
        byte[] expected = _arenas[0];
        SnapshotException damage =
            Assert.Throws<SnapshotException>(() => arena.Read(0, new byte[expected.Length]));
        Assert.Equal(SnapshotErrorCode.Corrupt, damage.Code);
        Assert.Contains(name, damage.Message, StringComparison.Ordinal);
        AssertReads(arena, expected, expected.Length - 100_000, 100_000);
    }

    private static void AssertReads(StoredRegion region, byte[] expected, int offset, int length)
    {
        byte[] read = new byte[length];
        Array.Fill(read, (byte)0xA5);
        region.Read(offset, read);
        int wrong = read.AsSpan().CommonPrefixLength(expected.AsSpan(offset, length));
        Assert.True(wrong == length, $"byte {offset + wrong} of '{region.Description.Name}' is wrong");
    }

    private unsafe void MakeChain()
    {
        using SnapshotSession session = SnapshotSession.Open(
            _store.Path, new SnapshotOptions { Store = s_keepsAll });
        Arena arena = session.OpenArena("state");
        ArenaArray<long> numbers = arena.RootArray<long>("numbers", Count);
        session.Protect("buffer", _buffer);
        Random random = new(2);
        for (int generation = 1; generation <= Generations; generation++)
        {
            // All of it first, then here and there, and some back to zero.
            int changes = generation == 1 ? Count : 3_000;
            for (int change = 0; change < changes; change++)
                numbers[generation == 1 ? change : random.Next(Count)] = random.NextInt64();
            numbers.AsSpan(generation * 20_000, 4_000).Clear();
            random.NextBytes(_buffer.AsSpan(generation * 1_000, 500));
            session.RequestCheckpoint().WaitCommittedInThread();
            int end = (int)((byte*)numbers.Pointer - (byte*)arena.BaseAddress) + (Count * sizeof(long));
            _arenas.Add(new Span<byte>((void*)arena.BaseAddress, end).ToArray());
            _buffers.Add([.. _buffer]);
        }
    }
}
