using System.IO.Hashing;
using System.Runtime.InteropServices;
using Snapshot.Base;
using Snapshot.Storage;
using Xunit;

namespace Snapshot.Tests.Session;

/// <summary>
/// A session over a directory whose files are watched: some of its memory is rewritten, a checkpoint is
/// taken, and what every generation holds is remembered.
/// </summary>
internal sealed class ChangingState : IDisposable
{
    private readonly Dictionary<long, UInt128> _contents = [];
    private readonly FailingMedium _medium;
    private readonly SnapshotSession _session;
    private readonly ArenaArray<long> _cells;
    private readonly Random _random;
    private readonly string _directory;

    /// <param name="directory">Of the store.</param>
    /// <param name="options">How it is opened.</param>
    /// <param name="pages">Of noise, the whole state.</param>
    /// <param name="seed">Of the noise.</param>
    /// <param name="capture">How memory is captured.</param>
    internal ChangingState(
        string directory, StoreOptions options, int pages, int seed, CaptureMode capture = CaptureMode.Stage)
    {
        _directory = directory;
        _random = new Random(seed);
        _medium = new FailingMedium(new DirectoryMedium(directory, directReads: true))
        {
            Fails = (_, _) =>
            {
                Measure();
                return false;
            },
        };
        _session = SnapshotSession.Open(
            SnapshotStore.Open(_medium, options), new SnapshotOptions { Encoding = BlockEncoding.None });
        Arena arena =
            _session.OpenArena("state", new ArenaOptions { Capacity = 256L << 20, Capture = capture });
        _cells = arena.RootArray<long>("cells", (long)pages * Pages.Size / sizeof(long));
        Rewrite(1);
    }

    internal SnapshotStore Store => _session.Store;

    /// <summary>The most bytes that the images took at any write, those being written included.</summary>
    internal long Peak { get; private set; }

    /// <summary>The largest full image that was committed.</summary>
    internal long FullBytes { get; private set; }

    /// <summary>
    /// Gives a share of the pages another content, here and there or always the first ones.
    /// </summary>
    internal void Rewrite(double share, bool isFirst = false)
    {
        Span<byte> bytes = MemoryMarshal.AsBytes(_cells.AsSpan());
        int pages = bytes.Length / Pages.Size;
        int[] order = [.. Enumerable.Range(0, pages)];
        if (!isFirst) _random.Shuffle(order);
        foreach (int page in order.AsSpan(0, (int)Math.Ceiling(pages * share)))
            _random.NextBytes(bytes.Slice(page * Pages.Size, Pages.Size));
    }

    /// <summary>Writes everything anew between checkpoints until the third has no room.</summary>
    /// <returns>What that was told.</returns>
    internal SnapshotException FillUp()
    {
        Commit();
        Rewrite(1);
        Commit();
        Rewrite(1);
        SnapshotException error = Assert.Throws<SnapshotException>(() => Commit());
        Assert.Equal(SnapshotErrorCode.StoreIo, error.Code);
        return error;
    }

    /// <summary>Takes a checkpoint of the state as it is.</summary>
    internal SnapshotInfo Commit()
    {
        UInt128 content = Hash(MemoryMarshal.AsBytes(_cells.AsSpan()));
        SnapshotInfo info = _session.RequestCheckpoint().WaitCommittedInThread();
        _contents.Add(info.Generation, content);
        if (info.Parent is null) FullBytes = Math.Max(FullBytes, info.BytesWritten);
        return info;
    }

    /// <summary>
    /// Every generation that the store lists has the bytes it was committed with, and at least so many are.
    /// </summary>
    internal async Task AssertHolds(int atLeast)
    {
        IReadOnlyList<GenerationInfo> listed = Store.Generations;
        Xunit.Assert.True(listed.Count >= atLeast, $"{listed.Count} generations are left of {atLeast}");
        VerifyReport report = await Store.VerifyAsync();
        Xunit.Assert.Empty(report.Problems);
        int held = Store.Generations.Count(Holds);
        Xunit.Assert.True(held >= atLeast, $"{held} generations hold of {atLeast}");
    }

    /// <summary>False when it was pruned meanwhile, beside the session.</summary>
    private bool Holds(GenerationInfo info)
    {
        try
        {
            byte[] region = StoredMemory.Read(Store, info.Generation, "state");
            Xunit.Assert.Equal(_contents[info.Generation], Hash(CellsIn(region)));
            return true;
        }
        catch (SnapshotException) when (Store.Generations.All(now => now.Generation != info.Generation))
        {
            return false;
        }
    }

    public void Dispose() => _session.Dispose();

    private static UInt128 Hash(ReadOnlySpan<byte> bytes) => XxHash128.HashToUInt128(bytes);

    private unsafe ReadOnlySpan<byte> CellsIn(byte[] region)
    {
        long offset = (byte*)_cells.Pointer - (byte*)_session.OpenArena("state").BaseAddress;
        return region.AsSpan((int)offset, (int)_cells.Length * sizeof(long));
    }

    private void Measure()
    {
        long bytes = 0;
        foreach (FileInfo file in new DirectoryInfo(_directory).EnumerateFiles("0*")) bytes += LengthOf(file);
        lock (_contents) Peak = Math.Max(Peak, bytes);
    }

    /// <summary>Pruning takes files away while they are counted.</summary>
    private static long LengthOf(FileInfo file)
    {
        try
        {
            return file.Length;
        }
        catch (FileNotFoundException)
        {
            return 0;
        }
    }
}
