using System.Diagnostics;
using Snapshot.Coordination;
using Xunit;
using Xunit.Abstractions;

namespace Snapshot.Tests.Coordination;

/// <summary>
/// The real types under eight threads that do everything at random, against checkpoints back to back.
/// </summary>
public sealed class StressTests(ITestOutputHelper output)
{
    private const int Threads = 8;
    private static readonly TimeSpan s_duration = TimeSpan.FromSeconds(4);

    [Fact]
    public void Nobody_executes_application_code_while_memory_is_captured()
    {
        int seed = Environment.TickCount;
        output.WriteLine($"seed {seed}");
        using Coordinator coordinator = new();
        bool[] isInApplication = new bool[Threads];
        long[] writes = new long[Threads];
        using CancellationTokenSource stop = new();
        Thread[] lives = [.. Enumerable.Range(0, Threads).Select(index => new Thread(() =>
        {
            for (int life = 0; !stop.IsCancellationRequested; life++)
                Live(
                    coordinator, index, new Random(HashCode.Combine(seed, index, life)), isInApplication,
                    writes,
                    stop.Token);
        }))];
        foreach (Thread life in lives) life.Start();

        int captured = 0;
        int aborted = 0;
        Random random = new(seed);
        long start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start) < s_duration || captured == 0 || aborted == 0)
        {
            if (TryCapture(coordinator, random, isInApplication, writes)) captured++;
            else aborted++;
        }

        stop.Cancel();
        foreach (Thread life in lives) life.Join();
        coordinator.RemoveDead();
        output.WriteLine($"{captured} captured, {aborted} aborted");
        Assert.Equal(0, PhaseWord.RunningOf(coordinator.Barrier.Read()));
        Assert.Equal(0, PhaseWord.HeldOf(coordinator.Barrier.Read()));
        coordinator.Checkpoint();
    }

    /// <summary>One checkpoint with a random end; looks during the capture whether anybody runs.</summary>
    private static bool TryCapture(
        Coordinator coordinator, Random random, bool[] isInApplication, long[] writes)
    {
        try
        {
            TimeSpan timeout =
                random.Next(20) == 0 ? TimeSpan.FromTicks(random.Next(3000)) : CoordinatorExtensions.Long;
            using Attempt attempt = coordinator.Begin(1, timeout);
            attempt.PrepareAsync(() => { });
            attempt.Stop();
            long[] before = [.. writes];
            for (int look = 0; look < 20; look++)
            {
                for (int index = 0; index < Threads; index++)
                    Assert.False(
                        Volatile.Read(ref isInApplication[index]),
                        $"thread {index} executes application code during the capture");
                Thread.SpinWait(20);
            }

            Assert.Equal(before, writes);
            if (random.Next(5) == 0) return true;
            attempt.Release();
            attempt.BeginCommit();
            attempt.Complete();
            return true;
        }
        catch (SnapshotException error)
            when (error.Code is SnapshotErrorCode.TimedOut or SnapshotErrorCode.Aborted)
        {
            return false;
        }
    }

    /// <summary>One participant from attaching to leaving or dying, on a thread of its own.</summary>
    private static void Live(
        Coordinator coordinator, int index, Random random, bool[] isInApplication, long[] writes,
        CancellationToken stop)
    {
        Thread body = new(() =>
        {
            Participant participant = coordinator.Attach($"p{index}");
            participant.RegisterHandler("h", CheckpointHandler.Create(context =>
            {
                if (random.Next(200) == 0) context.Abort(index);
            }));
            int steps = random.Next(1, 400);
            for (int step = 0; step < steps && !stop.IsCancellationRequested; step++)
                Act(participant, index, random, isInApplication, writes);
            if (random.Next(4) != 0) participant.Dispose();
            else if (random.Next(2) == 0) _ = participant.EnterBlockedRegion();
            else _ = participant.EnterCriticalSection();
        });
        body.Start();
        body.Join();
    }

    private static void Act(
        Participant participant, int index, Random random, bool[] isInApplication, long[] writes)
    {
        Compute(index, random, isInApplication, writes);
        switch (random.Next(6))
        {
            case 0:
                using (participant.EnterCriticalSection()) Compute(index, random, isInApplication, writes);
                break;
            case 1:
                using (participant.EnterBlockedRegion()) Thread.SpinWait(random.Next(200));
                break;
            case 2 when participant.TryEnterCriticalSection(out CriticalSection section):
                Compute(index, random, isInApplication, writes);
                section.Dispose();
                break;
            case 3:
                Thread.Yield();
                break;
            default:
                participant.Poll();
                break;
        }
    }

    private static void Compute(int index, Random random, bool[] isInApplication, long[] writes)
    {
        Volatile.Write(ref isInApplication[index], true);
        for (int count = random.Next(50); count > 0; count--) writes[index]++;
        Volatile.Write(ref isInApplication[index], false);
    }
}
