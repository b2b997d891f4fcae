using System.Runtime.InteropServices;
using Snapshot.Base;
using Snapshot.TestPrograms;
using Snapshot.Tests.Profiles;
using Xunit;

namespace Snapshot.Tests.Session;

/// <summary>
/// Random programs that allocate, protect, write, move and free, against a copy of what they have.
/// </summary>
public sealed unsafe class ForeignMemoryModelTests : IDisposable
{
    private const int Steps = 400;
    private const int StepsOfLarge = 60;

    private readonly TemporaryStore _store = new();
    private readonly List<Piece> _pieces = [];
    private readonly Dictionary<long, Dictionary<string, byte[]>> _taken = [];
    private int _names;
    private bool _areLarge;

    public void Dispose()
    {
        foreach (Piece piece in _pieces) piece.Free();
        _store.Dispose();
    }

    [MachineTheory]
    [InlineData(1, TrackingMechanism.Auto, false)]
    [InlineData(2, TrackingMechanism.Auto, false)]
    [InlineData(3, TrackingMechanism.Auto, false)]
    [InlineData(4, TrackingMechanism.ContentHash, false)]
    [InlineData(5, TrackingMechanism.Auto, true)]
    [InlineData(6, TrackingMechanism.Auto, true)]
    public void Every_generation_has_what_the_program_had(int seed, TrackingMechanism tracking, bool large)
    {
        _areLarge = large;
        SnapshotOptions options = new()
        {
            Tuning = new SnapshotTuning { Tracking = tracking },
            Encoding = BlockEncoding.None,
            Store = new StoreOptions
            {
                ChainLengthMax = 5,
                Retention = new RetentionPolicy { KeepLast = 1000 },
                MaxStateMultiple = double.PositiveInfinity,
            },
        };
        Random random = new(seed);
        using (SnapshotSession session = SnapshotSession.Open(_store.Path, options))
        {
            for (int step = 0; step < (large ? StepsOfLarge : Steps); step++)
                Step(session, random, $"seed {seed}, step {step}");
            TakeGood(session, $"seed {seed}, end");
        }

        using SnapshotSession restarted = SnapshotSession.Open(_store.Path, options);
        Dictionary<string, byte[]> last = _taken[restarted.Restarted!.Generation];
        foreach (Piece piece in _pieces)
        {
            new Span<byte>(piece.At, piece.Bytes).Fill(0xee);
            bool later = random.Next(2) == 0;
            restarted.Protect(
                piece.Name, piece.At, piece.Bytes,
                new ProtectOptions { Fill = later ? ProtectFill.Later : ProtectFill.Now });
            Assert.Equal(later, restarted.Fill(piece.Name));
            AssertSame(last[piece.Name], piece, $"seed {seed}, restarted");
            piece.Write(random);
        }

        TakeGood(restarted, $"seed {seed}, after the restart");
    }

    private void Step(SnapshotSession session, Random random, string when)
    {
        Piece? piece = _pieces.Count == 0 ? null : _pieces[random.Next(_pieces.Count)];
        switch (random.Next(12))
        {
            case 0 or 1 when _pieces.Count < (_areLarge ? 3 : 8):
                _pieces.Add(Piece.Make($"piece {_names++}", random, _areLarge));
                Protect(session, _pieces[^1], random);
                break;
            case 2 when piece is not null:
                // Freed, and had again as other memory of another length.
                Assert.True(session.Unprotect(piece.Name));
                piece.Resize(random);
                Protect(session, piece, random);
                break;
            case 3 when piece is not null && _pieces.Count > (_areLarge ? 1 : 3):
                Free(session, piece);
                break;
            case 4:
                piece?.Replace();
                break;
            case 5:
                piece?.Drop(random);
                break;
            case 6 when _areLarge:
                TakeHeld(session, random, when);
                break;
            case 6:
                TakeAborted(session, piece, random);
                break;
            case 7 or 8:
                TakeGood(session, when);
                break;
            default:
                piece?.Write(random);
                break;
        }
    }

    private static void Protect(SnapshotSession session, Piece piece, Random random) => session.Protect(
        piece.Name, piece.At, piece.Bytes, new ProtectOptions { AlwaysHash = random.Next(6) == 0 });

    private void TakeGood(SnapshotSession session, string when)
    {
        Dictionary<string, byte[]> now = _pieces.ToDictionary(piece => piece.Name, piece => piece.Copy());
        AssertTaken(session, session.RequestCheckpoint().WaitCommittedInThread().Generation, now, when);
    }

    private void AssertTaken(
        SnapshotSession session, long generation, Dictionary<string, byte[]> now, string when)
    {
        _taken.Add(generation, now);
        foreach ((string name, byte[] content) in now)
        {
            byte[] stored = StoredMemory.Read(session.Store, generation, name);
            int same = stored.AsSpan().CommonPrefixLength(content);
            Assert.True(
                stored.Length == content.Length && same == content.Length,
                $"{when}: byte {same} of '{name}' in generation {generation} is wrong");
        }
    }

    /// <summary>
    /// Written, or unprotected and freed, while it is drained; or dropped or replaced, which may be an error.
    /// </summary>
    private void TakeHeld(SnapshotSession session, Random random, string when)
    {
        Dictionary<string, byte[]> now = _pieces.ToDictionary(piece => piece.Name, piece => piece.Copy());
        using HeldDrain held = new();
        CheckpointTicket ticket = held.Request(session);
        bool mayFail = false;
        foreach (Piece piece in _pieces.ToArray())
        {
            int what = random.Next(8);
            mayFail |= what < 2;
            if (what == 0) piece.Drop(random);
            else if (what == 1) piece.Replace();
            else if (what == 2 && _pieces.Count > 1) Free(session, piece);
            else piece.Write(random);
        }

        held.LetGo();
        try
        {
            AssertTaken(session, ticket.WaitCommittedInThread().Generation, now, when);
        }
        catch (SnapshotException error) when (mayFail && error.Code == SnapshotErrorCode.MemoryGone)
        {
            // The next one has it as it is then.
        }
    }

    private void Free(SnapshotSession session, Piece piece)
    {
        Assert.True(session.Unprotect(piece.Name));
        piece.Free();
        _pieces.Remove(piece);
    }

    /// <summary>Written meanwhile, and given up when it is captured.</summary>
    private static void TakeAborted(SnapshotSession session, Piece? piece, Random random)
    {
        using HeldDrain held = new();
        using CancellationTokenSource cancellation = new();
        CheckpointTicket ticket = held.Request(session, cancellation.Token);
        piece?.Write(random);
        cancellation.Cancel();
        held.LetGo();
        Assert.ThrowsAny<OperationCanceledException>(() => ticket.WaitCommittedInThread());
    }

    private static void AssertSame(byte[] expected, Piece piece, string when) => Assert.True(
        expected.AsSpan().SequenceEqual(new ReadOnlySpan<byte>(piece.At, piece.Bytes)),
        $"{when}: '{piece.Name}'");

    /// <summary>Memory of the program: of malloc, or mapped.</summary>
    private sealed class Piece
    {
        private readonly bool _isMapped;
        private readonly bool _isLarge;
        private byte* _base;
        private long _mappedBytes;

        private Piece(string name, bool isMapped, bool isLarge)
        {
            Name = name;
            _isMapped = isMapped;
            _isLarge = isLarge;
        }

        internal string Name { get; }

        internal byte* At { get; private set; }

        internal int Bytes { get; private set; }

        internal static Piece Make(string name, Random random, bool large)
        {
            Piece piece = new(name, random.Next(2) == 0 || large, large);
            piece.Allocate(random);
            piece.Write(random);
            return piece;
        }

        internal byte[] Copy() => new Span<byte>(At, Bytes).ToArray();

        internal void Write(Random random)
        {
            for (int spot = random.Next(1, 12); spot > 0; spot--)
            {
                int first = random.Next(Bytes), count = Math.Min(Bytes - first, 1 + random.Next(9000));
                random.NextBytes(new Span<byte>(At + first, random.Next(4) == 0 ? count : 1));
            }
        }

        /// <summary>By realloc where it is malloc's.</summary>
        internal void Resize(Random random)
        {
            if (_isMapped)
            {
                Free();
                Allocate(random);
                return;
            }

            Bytes = Length(random);
            _base = (byte*)NativeMemory.Realloc(_base, (nuint)Bytes);
            At = _base;
        }

        /// <summary>Other memory in the place of it, or of its half.</summary>
        internal void Replace()
        {
            if (!_isMapped) return;
            long half = _mappedBytes / 2 / Pages.Size * Pages.Size;
            LibC.Map(half, LibC.Private | LibC.Anonymous | LibC.Fixed, -1, _base);
        }

        internal void Drop(Random random)
        {
            if (!_isMapped) return;
            long pages = _mappedBytes / Pages.Size, first = random.NextInt64(pages);
            LibC.Drop(_base + (first * Pages.Size), random.NextInt64(1, pages - first + 1) * Pages.Size);
        }

        internal void Free()
        {
            if (_isMapped) LibC.Unmap(_base, _mappedBytes);
            else NativeMemory.Free(_base);
        }

        private int Length(Random random) => random.Next(4) switch
        {
            _ when _isLarge => random.Next(9_000_000, 13_000_000),
            0 => random.Next(1, 40_000),
            1 => random.Next(100_000, 5_000_000),
            _ => random.Next(60_000, 400_000),
        };

        private void Allocate(Random random)
        {
            Bytes = Length(random);
            if (!_isMapped)
            {
                At = _base = (byte*)NativeMemory.AllocZeroed((nuint)Bytes);
                return;
            }

            int offset = random.Next(2) == 0 ? 0 : random.Next(Pages.Size);
            _mappedBytes = Pages.AlignUp(Bytes + offset, Pages.Size);
            _base = LibC.Map(_mappedBytes);
            if (_isLarge) LibC.AskForHugePages(_base, _mappedBytes);
            At = _base + offset;
        }
    }
}
