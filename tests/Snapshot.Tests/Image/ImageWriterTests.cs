using Snapshot.Base;
using Snapshot.Image;
using Xunit;

namespace Snapshot.Tests.Image;

public sealed class ImageWriterTests
{
    private static readonly ImageWriterOptions s_small =
        new() { Encoding = BlockEncoding.None, WriteBytes = 4096 * 8, EncoderThreads = 3 };

    [Fact]
    public void The_file_does_not_depend_on_the_number_of_threads()
    {
        byte[] Make(int encoders, int writes, int writeBytes)
        {
            MemoryFile file = new();
            using ImageWriter writer = new(
                file, SampleImage.FullHeader,
                new ImageWriterOptions
                {
                    Encoding = BlockEncoding.Auto,
                    EncoderThreads = encoders,
                    WritesInFlight = writes,
                    WriteBytes = writeBytes,
                });
            writer.BeginRegion(SampleImage.Arena(1000));
            for (int i = 0; i < 100; i++)
                writer.AppendPages(
                    i % 3 == 0 ? SampleImage.Noise(10, (uint)i + 1) : SampleImage.Smooth(10), i % 2 * 8);
            writer.Complete(SampleImage.Metadata);
            return file.Bytes;
        }

        byte[] expected = Make(1, 1, 4096);
        Assert.Equal(expected, Make(4, 3, 1 << 20));
        Assert.Equal(expected, Make(2, 2, 12288));
    }

    /// <summary>
    /// A block of one page has no other page's hash in it, whoever was in its buffer before.
    /// </summary>
    [Fact]
    public void Hashes_that_are_known_make_the_file_that_unknown_ones_make()
    {
        byte[] Make(bool areKnown)
        {
            MemoryFile file = new();
            using ImageWriter writer = new(file, SampleImage.FullHeader, s_small);
            writer.BeginRegion(SampleImage.Arena(2000));
            for (uint page = 1; page <= 1000; page++)
            {
                byte[] content = SampleImage.Noise(1, page);
                writer.AppendPages(content, 0, areKnown && page % 3 != 0 ? PageHash.Of(content) : default);
            }

            writer.AppendPages(SampleImage.Noise(1000, 7), 0);
            Assert.Throws<ArgumentException>(
                () => writer.AppendPages(SampleImage.Noise(2, 1), 0, new PageHash(1, 2)));
            writer.Complete(SampleImage.Metadata);
            return file.Bytes;
        }

        Assert.Equal(Make(areKnown: false), Make(areKnown: true));
    }

    [Fact]
    public void A_failing_write_surfaces_and_stops_the_rest()
    {
        int writes = 0;
        SnapshotException failure = new(SnapshotErrorCode.StoreIo, "no room") { Path = "p", Offset = 65536 };
        MemoryFile file =
            new() { BeforeWrite = offset => { if (Interlocked.Increment(ref writes) > 2) throw failure; } };
        using ImageWriter writer = new(file, SampleImage.FullHeader, s_small);
        writer.BeginRegion(SampleImage.Arena(100_000));
        byte[] pages = SampleImage.Noise(64, 1);
        SnapshotException thrown = Assert.Throws<SnapshotException>(() =>
        {
            for (int i = 0; i < 1500; i++) writer.AppendPages(pages, 0);
        });
        Assert.Same(failure, thrown);
        Assert.InRange(writes, 3, 2 + s_small.WritesInFlight);
    }

    [Fact]
    public void A_failure_of_the_last_write_surfaces_in_complete()
    {
        MemoryFile file = new()
        {
            BeforeWrite = offset =>
            {
                if (offset >= 4096 * 8) throw new SnapshotException(SnapshotErrorCode.StoreIo, "late");
            },
        };
        using ImageWriter writer = new(file, SampleImage.FullHeader, s_small);
        writer.BeginRegion(SampleImage.Arena(16));
        writer.AppendPages(SampleImage.Noise(16, 1), 0);
        Assert.Throws<SnapshotException>(() => writer.Complete(SampleImage.Metadata));
    }

    [Fact]
    public void Cancellation_wakes_a_producer_that_waits_for_the_disk()
    {
        using CancellationTokenSource source = new();
        using ManualResetEventSlim blocked = new();
        using ManualResetEventSlim go = new();
        MemoryFile file = new() { BeforeWrite = _ => { blocked.Set(); go.Wait(); } };
        using ImageWriter writer = new(file, SampleImage.FullHeader, s_small, source.Token);
        writer.BeginRegion(SampleImage.Arena(100_000));
        Thread canceller = new(() =>
        {
            blocked.Wait();
            source.Cancel();
            go.Set();
        });
        canceller.Start();
        byte[] pages = SampleImage.Noise(64, 1);
        Assert.Throws<OperationCanceledException>(() =>
        {
            for (int i = 0; i < 1500; i++) writer.AppendPages(pages, 0);
        });
        canceller.Join();
    }

    [Fact]
    public void A_cancelled_complete_makes_no_footer()
    {
        MemoryFile file = new();
        using ImageWriter writer = new(file, SampleImage.FullHeader, s_small);
        writer.BeginRegion(SampleImage.Arena(0));
        Assert.Throws<OperationCanceledException>(
            () => writer.Complete(SampleImage.Metadata, new CancellationToken(true)));
        Assert.Throws<SnapshotException>(() => ImageReader.Open(new MemoryFile(file.Bytes)));
    }

    [Fact]
    public void Each_thread_says_what_it_does_and_fails_the_image_when_that_fails()
    {
        List<(CheckpointTask Task, string? Name)> told = [];
        ImageWriterOptions telling = new()
        {
            EncoderThreads = 2,
            WritesInFlight = 1,
            Around = (task, work) =>
            {
                lock (told) told.Add((task, Thread.CurrentThread.Name));
                work();
            },
        };
        using (ImageWriter writer = new(new MemoryFile(), SampleImage.FullHeader, telling))
        {
            writer.BeginRegion(SampleImage.Arena(64 * 5));
            writer.AppendPages(SampleImage.Noise(64 * 5, 1), 0);
            writer.Complete(SampleImage.Metadata);
        }

        Assert.Equal(
            [
                (CheckpointTask.Encode, "snapshot image encode"),
                (CheckpointTask.Encode, "snapshot image encode"),
                (CheckpointTask.Write, "snapshot image write"),
            ],
            told.Order());
        Assert.Equal("no", FailureAround(CheckpointTask.Encode));
        Assert.Equal("no", FailureAround(CheckpointTask.Write));
    }

    private static string FailureAround(CheckpointTask failing)
    {
        ImageWriterOptions options = new()
        {
            Around = (task, work) =>
            {
                if (task == failing) throw new InvalidOperationException("no");
                work();
            },
        };
        using ImageWriter failed = new(new MemoryFile(), SampleImage.FullHeader, options);
        failed.BeginRegion(SampleImage.Arena(1));
        failed.AppendPages(SampleImage.Noise(1, 1), 0);
        return Assert.Throws<InvalidOperationException>(() => failed.Complete(SampleImage.Metadata)).Message;
    }

    [Fact]
    public void Extents_that_do_not_tile_the_region_are_refused()
    {
        using ImageWriter writer = new(new MemoryFile(), SampleImage.FullHeader, s_small);
        Assert.Throws<InvalidOperationException>(() => writer.Append(ExtentKind.Zero, 1));
        writer.BeginRegion(SampleImage.Arena(2));
        Assert.Throws<InvalidOperationException>(() => writer.Append(ExtentKind.InParent, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => writer.Append(ExtentKind.Present, 1));
        Assert.Throws<InvalidOperationException>(() => writer.Append(ExtentKind.Zero, 3));
        writer.Append(ExtentKind.Zero, 1);
        Assert.Throws<InvalidOperationException>(() => writer.BeginRegion(SampleImage.Buffer()));
        Assert.Throws<InvalidOperationException>(() => writer.Complete(SampleImage.Metadata));
    }

    [Fact]
    public void Neighbouring_extents_of_one_kind_are_merged()
    {
        byte[] bytes = SampleImage.Write(SampleImage.FullHeader, BlockEncoding.None, writer =>
        {
            writer.BeginRegion(SampleImage.Arena(6));
            writer.Append(ExtentKind.Zero, 1);
            writer.Append(ExtentKind.Zero, 2);
            writer.AppendPages(SampleImage.Noise(1, 1), 0);
            writer.AppendPages(SampleImage.Noise(2, 2), 0);
        });
        using ImageReader image = ImageReader.Open(new MemoryFile(bytes));
        Assert.Equal(
            [(ExtentKind.Zero, 3L), (ExtentKind.Present, 3L)],
            image.Regions[0].Extents.ToArray().Select(one => (one.Kind, one.PageCount)));
    }
}
