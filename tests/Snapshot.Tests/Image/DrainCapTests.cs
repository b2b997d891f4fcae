using Snapshot.Image;
using Xunit;

namespace Snapshot.Tests.Image;

public sealed class DrainCapTests
{
    private const long Rate = 8 << 20;

    private readonly SteppedTime _time = new();

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void No_more_bytes_are_handed_over_than_the_cap_allows_by_then(int writesInFlight)
    {
        long written = 0;
        List<string> tooMany = [];
        CountingSink sink = new(bytes =>
        {
            // The last write that was let through need not have ended at that rate.
            long allowed =
                (long)((Int128)_time.GetTimestamp() * Rate / _time.TimestampFrequency) + Rate / 16 + 4096;
            long now = Interlocked.Add(ref written, bytes);
            if (now > allowed)
                lock (tooMany) tooMany.Add($"{now} bytes where {allowed} are allowed");
        });
        using ImageWriter writer = new(sink, SampleImage.FullHeader, Capped(writesInFlight));
        ImageSummary? summary = null;
        Thread producer = new(() => summary = Write(writer));
        producer.Start();
        while (producer.IsAlive)
        {
            if (!_time.Step()) Thread.Yield();
        }

        producer.Join();
        Assert.Empty(tooMany);
        Assert.Equal(summary!.Length, written);

        // The last write takes its time after it, not before.
        long least = (summary.Length - Rate / 16 - 4096) * _time.TimestampFrequency / Rate;
        Assert.InRange(_time.GetTimestamp(), least, 2 * least);
    }

    [Fact]
    public void Who_waits_for_the_cap_is_let_go_by_a_cancellation()
    {
        using CancellationTokenSource source = new();
        using ImageWriter writer = new(
            new CountingSink(_ => { }), SampleImage.FullHeader, Capped(writesInFlight: 2), source.Token);
        Thread canceller = new(() =>
        {
            _time.AwaitWaiter();
            source.Cancel();
        });
        canceller.Start();
        Assert.Throws<OperationCanceledException>(() => Write(writer));
        canceller.Join();
    }

    [Fact]
    public void A_cap_that_would_hardly_write_is_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new SnapshotTuning { DrainBytesPerSecond = 0 });
        Assert.Throws<ArgumentOutOfRangeException>(
            () => new SnapshotTuning { DrainBytesPerSecond = (1 << 20) - 1 });
        Assert.Equal(1 << 20, new SnapshotTuning { DrainBytesPerSecond = 1 << 20 }.DrainBytesPerSecond);
        Assert.Null(new SnapshotTuning { DrainBytesPerSecond = null }.DrainBytesPerSecond);
    }

    private ImageWriterOptions Capped(int writesInFlight) => new()
    {
        Encoding = BlockEncoding.None,
        EncoderThreads = 1,
        WritesInFlight = writesInFlight,
        BytesPerSecond = Rate,
        Time = _time,
    };

    private static ImageSummary Write(ImageWriter writer)
    {
        writer.BeginRegion(SampleImage.Arena(64 * 128));
        byte[] pages = SampleImage.Noise(64, 1);
        for (int i = 0; i < 128; i++) writer.AppendPages(pages, 0);
        return writer.Complete(SampleImage.Metadata);
    }

    private sealed class CountingSink(Action<int> onWrite) : IImageSink
    {
        public string Name => "counting";

        public void Write(IReadOnlyList<ReadOnlyMemory<byte>> segments, long offset) =>
            onWrite(segments.Sum(segment => segment.Length));
    }
}
