using Snapshot.Base;
using Snapshot.Tests.Session;

namespace Snapshot.Tests.Restart;

/// <summary>
/// A store with a chain of images of one arena, made at random from a seed: pages of noise, of a field, and
/// of zeros, some rewritten between the images, with memory freed and excluded among them.
/// </summary>
internal sealed class LazyStore : IDisposable
{
    internal const int LongsPerPage = Pages.Size / sizeof(long);
    internal const int PageCount = 3000;

    private readonly TemporaryStore _store = new();

    internal LazyStore(int seed, int images, BlockEncoding encoding = BlockEncoding.Auto)
    {
        SnapshotOptions options = new()
        {
            Encoding = encoding,
            Store = new StoreOptions { Retention = new RetentionPolicy { KeepLast = 100 } },
        };
        using SnapshotSession session = SnapshotSession.Open(Path, options);
        Arena arena = session.OpenArena("a", new ArenaOptions { Capacity = 256L << 20 });
        ArenaArray<long> cells = arena.RootArray<long>("cells", (long)PageCount * LongsPerPage);
        Random random = new(seed);
        for (int image = 0; image < images; image++)
        {
            for (int page = 0; page < PageCount; page++)
            {
                if (image == 0 || random.Next(8) == 0) Write(Page(cells, page), random);
            }

            // Changes the header of the arena, which is then in every image.
            arena.Allocate<long>(3);
            session.RequestCheckpoint().WaitCommittedInThread();
        }

        Content = Copy(cells);
    }

    internal string Path => _store.Path;

    /// <summary>What the array held at the last image.</summary>
    internal byte[] Content { get; }

    internal static SnapshotOptions Eagerly =>
        new() { Restart = new RestartOptions { Fill = RestartFill.Eager } };

    internal static SnapshotOptions Lazily =>
        new() { Restart = new RestartOptions { Fill = RestartFill.Lazy } };

    /// <summary>Restarts so that only what is touched comes.</summary>
    internal SnapshotSession RestartOnDemand(CaptureMode capture = CaptureMode.Auto) =>
        SnapshotSession.Restart(
            Path,
            new SnapshotOptions
            {
                Capture = capture,
                Restart = new RestartOptions { Fill = RestartFill.Lazy, StreamingThreads = 0 },
            });

    internal static ArenaArray<long> Cells(SnapshotSession session) =>
        session.OpenArena("a").RootArray<long>("cells", (long)PageCount * LongsPerPage);

    internal static Span<long> Page(ArenaArray<long> cells, int page) =>
        cells.AsSpan(page * LongsPerPage, LongsPerPage);

    internal ReadOnlySpan<byte> ContentOf(int page) => Content.AsSpan(page * Pages.Size, Pages.Size);

    internal static byte[] Copy(ArenaArray<long> cells) =>
        System.Runtime.InteropServices.MemoryMarshal.AsBytes(cells.AsSpan(0, (int)cells.Length)).ToArray();

    internal static void Write(Span<long> page, Random random)
    {
        switch (random.Next(4))
        {
            case 0:
                page.Clear();
                break;
            case 1:
                double start = random.NextDouble();
                for (int i = 0; i < page.Length; i++)
                    page[i] = BitConverter.DoubleToInt64Bits(start + (i * 1e-9));
                break;
            default:
                for (int i = 0; i < page.Length; i++) page[i] = random.NextInt64();
                break;
        }
    }

    /// <summary>All bytes of an arena.</summary>
    internal static unsafe byte[] Memory(Arena arena) =>
        new Span<byte>((void*)arena.BaseAddress, (int)arena.CommittedBytes).ToArray();

    /// <summary>Runs so many threads to their end; what one throws is thrown.</summary>
    internal static void Run(int threads, Action<int> body)
    {
        Exception? failure = null;
        Thread[] all = [.. Enumerable.Range(0, threads).Select(index => new Thread(() =>
        {
            try
            {
                body(index);
            }
            catch (Exception error)
            {
                Interlocked.CompareExchange(ref failure, error, null);
            }
        }))];
        Array.ForEach(all, thread => thread.Start());
        Array.ForEach(all, thread => thread.Join());
        if (failure is not null) throw new InvalidOperationException(failure.Message, failure);
    }

    public void Dispose() => _store.Dispose();
}
