using Snapshot.Base;
using Snapshot.Checkpoint;
using Xunit;

namespace Snapshot.Tests.Checkpoint;

/// <summary>Time of the threads that are measured, all of them, and of no other.</summary>
public sealed class ProcessorMeterTests
{
    private static readonly TimeSpan s_work = TimeSpan.FromMilliseconds(30);

    [Fact]
    public void What_each_thread_computes_is_added_up()
    {
        ProcessorMeter meter = new();
        Thread[] threads = [.. Enumerable.Range(0, 3).Select(_ => new Thread(() =>
        {
            using ProcessorMeter.Measurement spent = meter.Begin(CheckpointTask.Drain);
            Compute();
        }))];
        foreach (Thread thread in threads) thread.Start();
        foreach (Thread thread in threads) thread.Join();
        Assert.True(meter.On(CheckpointTask.Drain) >= 3 * s_work, $"{meter.Spent}");
        Assert.Equal(meter.On(CheckpointTask.Drain), meter.Spent);
        Assert.Equal(TimeSpan.Zero, meter.On(CheckpointTask.Encode));
    }

    [Fact]
    public void A_thread_that_waits_spends_nothing_of_what_another_computes()
    {
        ProcessorMeter meter = new(), ofOther = new();
        Thread other = new(() =>
        {
            using ProcessorMeter.Measurement spent = ofOther.Begin(CheckpointTask.Drain);
            Compute();
        });
        using (meter.Begin(CheckpointTask.Drain))
        {
            other.Start();
            other.Join();
        }

        Assert.True(meter.Spent < ofOther.Spent, $"{meter.Spent}, the other {ofOther.Spent}");
    }

    /// <summary>So much time of the calling thread, however long that takes.</summary>
    private static void Compute()
    {
        ProcessorMeter own = new();
        while (own.Spent < s_work)
        {
            using ProcessorMeter.Measurement spent = own.Begin(CheckpointTask.Drain);
            Thread.SpinWait(1000);
        }
    }
}
