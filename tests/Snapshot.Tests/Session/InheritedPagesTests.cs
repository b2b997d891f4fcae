using System.Runtime.InteropServices;
using Snapshot.Base;
using Snapshot.Tests.Profiles;
using Xunit;

namespace Snapshot.Tests.Session;

/// <summary>
/// Images that need no parent, of memory that mostly did not change, is allocated, freed and excluded, and is
/// written while they are drained: each is the state of the moment of capture.
/// </summary>
public sealed unsafe class InheritedPagesTests : IDisposable
{
    private const int FixedPages = 2048;

    // Room for nothing but one image and the next: an increment has no way out.
    private static readonly StoreOptions s_alwaysFull = new()
    {
        Retention = new RetentionPolicy { KeepLast = 1 },
        MaxStateMultiple = 2,
    };

    private readonly TemporaryStore _store = new();

    public void Dispose() => _store.Dispose();

    [MachineTheory]
    [InlineData(CaptureMode.Stage, 1)]
    [InlineData(CaptureMode.PreCopy, 2)]
    [InlineData(CaptureMode.CopyOnWrite, 3)]
    [InlineData(CaptureMode.CopyOnWrite, 4)]
    public void They_hold_the_state_of_one_moment(CaptureMode capture, int seed)
    {
        Random random = new(seed);
        using SnapshotSession session = SnapshotSession.Open(
            _store.Path, new SnapshotOptions { Encoding = BlockEncoding.Lz4, Store = s_alwaysFull });
        Arena arena = session.OpenArena(
            "a", new ArenaOptions { Capacity = 256L << 20, Capture = capture });
        Span<byte> cells = MemoryMarshal.AsBytes(
            arena.RootArray<long>("cells", FixedPages * (long)Pages.Size / sizeof(long)).AsSpan());
        random.NextBytes(cells);
        List<(nint At, int Length)> blocks = [];
        session.RequestCheckpoint().WaitCommittedInThread();
        int full = 0;
        for (int round = 0; round < 12; round++)
        {
            Scatter(cells, random);
            Reallocate(arena, blocks, random);
            int end = (int)EndOf(arena, cells, blocks);
            byte[] expected = new Span<byte>((void*)arena.BaseAddress, end).ToArray();
            using HeldDrain held = new();
            CheckpointTicket ticket = held.Request(session);
            Scatter(cells, random);
            held.LetGo();
            SnapshotInfo info = ticket.WaitCommittedInThread();
            if (info.Parent is null) full++;
            AssertHolds(
                session, info.Generation, arena, cells, blocks, expected, $"round {round}, seed {seed}");
        }

        Assert.InRange(full, 8, 12);
    }

    [MachineTheory]
    [InlineData(RestartFill.Eager)]
    [InlineData(RestartFill.Lazy)]
    public void A_restarted_session_inherits_from_the_image_it_came_from(RestartFill fill)
    {
        SnapshotOptions options = new()
        {
            Encoding = BlockEncoding.None,
            Restart = new RestartOptions { Fill = fill },
            Store = s_alwaysFull,
        };
        byte[] expected = new byte[FixedPages * Pages.Size];
        new Random(7).NextBytes(expected);
        using (SnapshotSession session = SnapshotSession.Open(_store.Path, options))
        {
            expected.CopyTo(Cells(session));
            session.RequestCheckpoint().WaitCommittedInThread();
        }

        using (SnapshotSession session = SnapshotSession.Open(_store.Path, options))
        {
            Cells(session)[5 * Pages.Size] = expected[5 * Pages.Size] = 42;
            Assert.Null(session.RequestCheckpoint().WaitCommittedInThread().Parent);
        }

        using (SnapshotSession session = SnapshotSession.Open(_store.Path, options))
        {
            Assert.Equal(1, session.Restarted!.ChainLength);
            Assert.True(Cells(session).SequenceEqual(expected));
        }

        static Span<byte> Cells(SnapshotSession session) => MemoryMarshal.AsBytes(
            session.OpenArena("a").RootArray<long>("cells", FixedPages * (long)Pages.Size / sizeof(long))
                .AsSpan());
    }

    [Fact]
    public void A_damaged_chain_fails_the_image_that_inherits_from_it_and_says_where()
    {
        using SnapshotSession session = SnapshotSession.Open(
            _store.Path, new SnapshotOptions { Encoding = BlockEncoding.None, Store = s_alwaysFull });
        Span<byte> cells = MemoryMarshal.AsBytes(session.OpenArena("a")
            .RootArray<long>("cells", FixedPages * (long)Pages.Size / sizeof(long)).AsSpan());
        new Random(8).NextBytes(cells);
        session.RequestCheckpoint().WaitCommittedInThread();
        string file = Path.Combine(session.Store.Directory, session.Store.Newest!.FileName);
        using (FileStream image = new(file, FileMode.Open, FileAccess.ReadWrite))
        {
            image.Position = image.Length / 2;
            int value = image.ReadByte();
            image.Position--;
            image.WriteByte((byte)~value);
        }

        cells[0]++;
        SnapshotException error = Assert.Throws<SnapshotException>(
            () => session.RequestCheckpoint().WaitCommittedInThread());
        Assert.Equal(SnapshotErrorCode.Corrupt, error.Code);
        Assert.Equal(file, error.Path);
        Assert.DoesNotContain(Directory.GetFiles(session.Store.Directory), name => name.EndsWith(".partial"));
    }

    /// <summary>One page in twelve, and some of those with what they hold already.</summary>
    private static void Scatter(Span<byte> cells, Random random)
    {
        for (int i = 0; i < FixedPages / 12; i++)
        {
            Span<byte> page = cells.Slice(random.Next(FixedPages) * Pages.Size, Pages.Size);
            if (random.Next(4) == 0) page.Clear();
            else random.NextBytes(page[..random.Next(1, Pages.Size)]);
        }
    }

    private static void Reallocate(Arena arena, List<(nint At, int Length)> blocks, Random random)
    {
        for (int i = random.Next(3); i > 0 && blocks.Count > 0; i--)
        {
            int which = random.Next(blocks.Count);
            arena.Free((void*)blocks[which].At);
            blocks.RemoveAt(which);
        }

        for (int i = random.Next(4); i > 0; i--)
        {
            int length = random.Next(1, 40) * Pages.Size;
            void* block = arena.Allocate(length);
            Span<byte> bytes = new(block, length);
            random.NextBytes(bytes);
            if (random.Next(4) == 0)
            {
                // Restores as zero, which is then what it holds.
                arena.Exclude(block, length);
                bytes.Clear();
            }

            blocks.Add(((nint)block, length));
        }
    }

    private static long EndOf(Arena arena, Span<byte> cells, List<(nint At, int Length)> blocks)
    {
        nint end = (nint)AddressOf(cells) + cells.Length;
        foreach ((nint at, int length) in blocks) end = Math.Max(end, at + length);
        return end - arena.BaseAddress;
    }

    private static void* AddressOf(Span<byte> bytes)
    {
        fixed (byte* at = bytes) return at;
    }

    private static void AssertHolds(
        SnapshotSession session, long generation, Arena arena, Span<byte> cells,
        List<(nint At, int Length)> blocks,
        byte[] expected, string where)
    {
        byte[] image = StoredMemory.Read(session.Store, generation, "a");
        foreach ((nint at, int length) in blocks.Append(((nint)AddressOf(cells), cells.Length)))
        {
            int offset = (int)(at - arena.BaseAddress);
            Assert.True(
                image.AsSpan(offset, length).SequenceEqual(expected.AsSpan(offset, length)),
                $"{where}: {length} bytes at {offset} differ");
        }
    }
}
