using Xunit;

namespace Snapshot.Tests.Memory.Locks;

public sealed class ArenaBarrierTests : IDisposable
{
    private readonly ArenaCell<ArenaBarrier> _cell = new();
    private readonly TestOwner _first = new(1);
    private readonly TestOwner _second = new(2);

    public void Dispose()
    {
        _first.Dispose();
        _second.Dispose();
        _cell.Dispose();
    }

    [Fact]
    public void A_single_participant_passes_at_once() => _first.Do(() =>
    {
        _cell.Value.Initialize(1);
        for (uint phase = 0; phase < 5; phase++)
        {
            Assert.Equal(phase, _cell.Value.Phase);
            Assert.True(_cell.Value.SignalAndWait());
        }
    });

    [Fact]
    public void Wrong_counts_missing_initialization_and_unattached_threads_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => _cell.Value.Initialize(0));
        _first.Do(() => Assert.Throws<InvalidOperationException>(() => _cell.Value.SignalAndWait()));
        _cell.Value.Initialize(ArenaBarrier.MaxParticipants);
        Assert.Throws<InvalidOperationException>(() => _cell.Value.SignalAndWait());
    }

    [Fact]
    public void Captured_waiting_is_not_counted_again_after_a_restart()
    {
        _cell.Value.Initialize(2);
        Task waiter = _first.Run(() => _cell.Value.SignalAndWait());
        _first.AwaitWaiting();
        using ArenaCell<ArenaBarrier> restarted = _cell.Restart();
        _first.Kill();
        TestOwner.Join(waiter);

        using TestOwner first = new(1), second = new(2);
        Task again = first.Run(() => Assert.False(restarted.Value.SignalAndWait()));
        first.AwaitWaiting();
        Assert.Equal((0u, 1), (restarted.Value.Phase, restarted.Value.ArrivedCount));
        second.Do(() => Assert.True(restarted.Value.SignalAndWait()));
        TestOwner.Join(again);
        Assert.Equal((1u, 0), (restarted.Value.Phase, restarted.Value.ArrivedCount));
    }

    [Fact]
    public void Captured_before_it_noticed_that_its_phase_was_over_it_passes_at_once_after_the_restart()
    {
        _cell.Value.Initialize(2);
        Task waiter = _first.Run(() => _cell.Value.SignalAndWait());
        _first.AwaitWaiting();

        // The owner dies in its wait; then the last one arrives: its record still says inside, the phase is
        // over.
        _first.Kill();
        TestOwner.Join(waiter);
        _second.Do(() => Assert.True(_cell.Value.SignalAndWait()));
        using ArenaCell<ArenaBarrier> restarted = _cell.Restart();

        using TestOwner first = new(1), second = new(2);
        first.Do(() => Assert.False(restarted.Value.SignalAndWait()));
        Assert.Equal((1u, 0), (restarted.Value.Phase, restarted.Value.ArrivedCount));

        // From there on it counts as usual.
        Task next = first.Run(() => restarted.Value.SignalAndWait());
        first.AwaitWaiting();
        second.Do(() => Assert.True(restarted.Value.SignalAndWait()));
        TestOwner.Join(next);
        Assert.Equal(2u, restarted.Value.Phase);
    }

    [Fact]
    public void More_participants_than_announced_is_an_error_not_a_hang()
    {
        _cell.Value.Initialize(2);
        Task waiter = _first.Run(() => _cell.Value.SignalAndWait());
        _first.AwaitWaiting();
        _first.Kill();
        TestOwner.Join(waiter);
        using TestOwner third = new(3), fourth = new(4);

        // Owner 1 died in the barrier and keeps its record; 2 completes the phase, 3 waits in the next one:
        // no record is left.
        _second.Do(() => _cell.Value.SignalAndWait());
        Task inNext = third.Run(() => _cell.Value.SignalAndWait());
        third.AwaitWaiting();
        fourth.Do(() => Assert.Throws<InvalidOperationException>(() => _cell.Value.SignalAndWait()));
        third.Kill();
        TestOwner.Join(inNext);
    }

    [Fact]
    public void A_participant_may_be_replaced_by_another_between_phases()
    {
        _cell.Value.Initialize(2);
        Pass(1, 2);
        Pass(2, 7);
        Pass(7, 1);
        Pass(4, 6);
        Assert.Equal(4u, _cell.Value.Phase);

        void Pass(int one, int other)
        {
            using TestOwner a = new(one), b = new(other);
            TestOwner.Join(
                a.Run(() => _cell.Value.SignalAndWait()), b.Run(() => _cell.Value.SignalAndWait()));
        }
    }

    [Theory]
    [InlineData(2, 4000, 1)]
    [InlineData(5, 1500, 1)]
    [InlineData(5, 1500, 5)] // All ids share one home slot.
    public void No_thread_ever_runs_ahead_of_a_phase_and_exactly_one_is_the_last(
        int threads, int rounds, int idStep)
    {
        _cell.Value.Initialize(threads);
        int[] finished = new int[threads];
        int last = 0;
        Task[] tasks = [.. Enumerable.Range(0, threads).Select(
            index => new TestOwner(1 + (index * idStep)).Run(() =>
        {
            for (int round = 1; round <= rounds; round++)
            {
                Volatile.Write(ref finished[index], round);
                if (_cell.Value.SignalAndWait()) Interlocked.Increment(ref last);
                for (int other = 0; other < threads; other++)
                    Assert.InRange(Volatile.Read(ref finished[other]), round, round + 1);
            }
        }))];
        TestOwner.Join(tasks);
        Assert.Equal(rounds, last);
        Assert.Equal((uint)rounds, _cell.Value.Phase);
    }

    [Fact]
    public void Restarted_again_and_again_at_random_moments_every_round_is_passed_by_all_exactly_once()
    {
        const int Threads = 4, Rounds = 60, Seed = 20260;
        Random random = new(Seed);
        ArenaCell<ArenaBarrier> barrier = _cell;
        int[] progress = new int[Threads];
        List<ArenaCell<ArenaBarrier>> cells = [];
        barrier.Value.Initialize(Threads);
        for (int round = 0; round < Rounds; round++)
        {
            // A random part arrives and is captured waiting; then everybody calls in the new process.
            TestOwner[] captured = [.. Enumerable.Range(1, Threads)
                .Where(_ => random.Next(2) == 0)
                .Take(Threads - 1)
                .Select(id => new TestOwner(id))];
            Task[] waiting = [.. captured.Select(owner => owner.Run(() => barrier.Value.SignalAndWait()))];
            foreach (TestOwner owner in captured) owner.AwaitWaiting();
            ArenaCell<ArenaBarrier> restarted = barrier.Restart();
            cells.Add(restarted);
            foreach (TestOwner owner in captured) owner.Kill();
            TestOwner.Join(waiting);
            Assert.Equal(captured.Length, restarted.Value.ArrivedCount);

            TestOwner.Join([.. Enumerable.Range(1, Threads).Select(id => new TestOwner(id).Run(() =>
            {
                restarted.Value.SignalAndWait();
                progress[id - 1]++;
            }))]);
            barrier = restarted;
            Assert.True(barrier.Value.Phase == (uint)round + 1, $"seed {Seed}, round {round}");
        }

        Assert.All(progress, passed => Assert.Equal(Rounds, passed));
        foreach (ArenaCell<ArenaBarrier> cell in cells) cell.Dispose();
    }
}
