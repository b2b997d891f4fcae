using Snapshot.Base;
using Xunit;

namespace Snapshot.Tests.Memory.Locks;

public sealed class ArenaMutexTests : IDisposable
{
    private readonly ArenaCell<ArenaMutex> _cell = new();
    private readonly TestOwner _first = new(1);
    private readonly TestOwner _second = new(2);

    public void Dispose()
    {
        _first.Dispose();
        _second.Dispose();
        _cell.Dispose();
    }

    [Fact]
    public void Zeroed_memory_is_an_unlocked_mutex()
    {
        Assert.False(_cell.Value.IsHeld);
        Assert.Equal(0, _cell.Value.OwnerId);
        Assert.False(_cell.Value.IsHeldByCurrent);
    }

    [Fact]
    public void A_scope_holds_it_for_the_caller_and_nobody_else()
    {
        _first.Do(() =>
        {
            using (_cell.Value.EnterScope())
            {
                Assert.True(_cell.Value.IsHeldByCurrent);
                Assert.Equal(1, _cell.Value.OwnerId);
                _second.Do(() =>
                {
                    Assert.False(_cell.Value.IsHeldByCurrent);
                    Assert.False(_cell.Value.TryEnter());
                });
            }
        });
        Assert.False(_cell.Value.IsHeld);
    }

    [Fact]
    public void A_thread_that_is_not_attached_is_told_to_attach()
    {
        InvalidOperationException error = Assert.Throws<InvalidOperationException>(() => _cell.Value.Enter());
        Assert.Contains("Attach the thread", error.Message, StringComparison.Ordinal);
        Assert.Throws<InvalidOperationException>(() => _cell.Value.TryEnter());
        Assert.Throws<InvalidOperationException>(() => _cell.Value.Exit());
    }

    [Fact]
    public void Entering_twice_is_refused_in_every_way_and_changes_nothing()
    {
        _first.Do(() =>
        {
            _cell.Value.Enter();
            Assert.Throws<InvalidOperationException>(() => _cell.Value.Enter());
            Assert.Throws<InvalidOperationException>(() => _cell.Value.TryEnter());
            Assert.Throws<InvalidOperationException>(() => _cell.Value.TryEnter(TimeSpan.FromSeconds(1)));
            _cell.Value.Exit();
        });
        Assert.False(_cell.Value.IsHeld);
    }

    [Fact]
    public void Leaving_what_another_holds_or_nobody_holds_is_refused()
    {
        _second.Do(() => Assert.Contains(
            "nobody", Assert.Throws<InvalidOperationException>(() => _cell.Value.Exit()).Message,
            StringComparison.Ordinal));
        _first.Do(() => _cell.Value.Enter());
        _second.Do(() => Assert.Contains(
            "owner 1", Assert.Throws<InvalidOperationException>(() => _cell.Value.Exit()).Message,
            StringComparison.Ordinal));
        Assert.Equal(1, _cell.Value.OwnerId);
    }

    [Fact]
    public void A_wait_that_times_out_leaves_the_owner_in_place()
    {
        _first.Do(() => _cell.Value.Enter());
        _second.Do(() => Assert.False(_cell.Value.TryEnter(TimeSpan.FromMilliseconds(5))));
        Assert.Equal(1, _cell.Value.OwnerId);
        _first.Do(() => _cell.Value.Exit());
        Assert.False(_cell.Value.IsHeld);
    }

    [Fact]
    public void A_negative_timeout_is_an_argument_error() =>
        _first.Do(
            () => Assert.Throws<ArgumentOutOfRangeException>(
                () => _cell.Value.TryEnter(TimeSpan.FromSeconds(-2))));

    [Fact]
    public void Held_before_a_restart_is_held_after_and_waiters_wait_again()
    {
        _first.Do(() => _cell.Value.Enter());
        Task waiter = _second.Run(() => _cell.Value.Enter());
        _second.AwaitWaiting();

        using ArenaCell<ArenaMutex> restarted = _cell.Restart();
        _second.Kill();
        TestOwner.Join(waiter);

        using TestOwner first = new(1), second = new(2);
        Assert.Equal(1, restarted.Value.OwnerId);
        Task again = second.Run(() => restarted.Value.Enter());
        second.AwaitWaiting();
        first.Do(() =>
        {
            Assert.True(restarted.Value.IsHeldByCurrent);
            restarted.Value.Exit();
        });
        TestOwner.Join(again);
        Assert.Equal(2, restarted.Value.OwnerId);
    }

    [Fact]
    public void A_hint_that_is_stale_after_a_restart_does_no_harm()
    {
        _first.Do(() => _cell.Value.Enter());
        Task waiter = _second.Run(() => _cell.Value.Enter());
        _second.AwaitWaiting();
        using ArenaCell<ArenaMutex> restarted = _cell.Restart();
        _second.Kill();
        TestOwner.Join(waiter);

        // The waiter never comes back: the owner leaves and enters as if nothing had been.
        using TestOwner first = new(1);
        first.Do(() =>
        {
            restarted.Value.Exit();
            restarted.Value.Enter();
            restarted.Value.Exit();
        });
        Assert.False(restarted.Value.IsHeld);
    }

    [Fact]
    public void A_waiter_that_dies_hands_its_wake_to_the_next()
    {
        _first.Do(() => _cell.Value.Enter());
        using TestOwner third = new(3);
        Task dying = _second.Run(() => _cell.Value.Enter());
        _second.AwaitWaiting();
        Task waiting = third.Run(() => _cell.Value.Enter());
        third.AwaitWaiting();
        _second.Kill();
        _first.Do(() => _cell.Value.Exit());
        TestOwner.Join(dying, waiting);
        Assert.Equal(3, _cell.Value.OwnerId);
    }

    [Fact]
    public void Many_threads_never_overlap_and_all_come_through()
    {
        const int Threads = 6, Rounds = 4000;
        long counter = 0;
        int inside = 0;
        Task[] tasks = new Task[Threads];
        for (int thread = 0; thread < Threads; thread++)
        {
            int id = thread + 1;
            tasks[thread] = new TestOwner(id).Run(() =>
            {
                Random random = new(id);
                for (int round = 0; round < Rounds; round++)
                {
                    if (random.Next(8) == 0)
                    {
                        while (!_cell.Value.TryEnter(TimeSpan.FromMicroseconds(random.Next(1, 50))))
                        {
                        }
                    }
                    else
                    {
                        _cell.Value.Enter();
                    }

                    Assert.Equal(1, ++inside);
                    counter++;
                    if (random.Next(64) == 0) Thread.Yield();
                    inside--;
                    _cell.Value.Exit();
                }
            });
        }

        TestOwner.Join(tasks);
        Assert.Equal(Threads * Rounds, counter);
        Assert.False(_cell.Value.IsHeld);
    }

    [Fact]
    public void Entering_and_leaving_allocates_nothing() => _first.Do(() =>
    {
        _cell.Value.Enter();
        _cell.Value.Exit();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int round = 0; round < 1000; round++)
        {
            _cell.Value.Enter();
            _cell.Value.Exit();
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    });

    [Fact]
    public void A_thread_whose_owner_is_taken_away_is_no_owner() =>
        _first.Do(() =>
        {
            _cell.Value.Enter();
            LockOwner.Current = null;
            Assert.False(_cell.Value.IsHeldByCurrent);
        });
}
