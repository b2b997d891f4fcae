using Xunit;

namespace Snapshot.Tests.Memory.Locks;

public sealed class ArenaSemaphoreTests : IDisposable
{
    private readonly ArenaCell<ArenaSemaphore> _cell = new();
    private readonly TestOwner _first = new(1);
    private readonly TestOwner _second = new(2);

    public void Dispose()
    {
        _first.Dispose();
        _second.Dispose();
        _cell.Dispose();
    }

    [Fact]
    public void Counts_down_to_zero_and_no_further() => _first.Do(() =>
    {
        _cell.Value.Initialize(2);
        Assert.True(_cell.Value.TryWait());
        _cell.Value.Wait();
        Assert.False(_cell.Value.TryWait());
        Assert.False(_cell.Value.TryWait(TimeSpan.FromMilliseconds(2)));
        Assert.Equal(0, _cell.Value.Count);
        _cell.Value.Release(3);
        Assert.Equal(3, _cell.Value.Count);
    });

    [Fact]
    public void Refuses_what_it_cannot_count() => _first.Do(() =>
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => _cell.Value.Initialize(-1));
        Assert.Throws<ArgumentOutOfRangeException>(() => _cell.Value.Release(0));
        _cell.Value.Initialize(int.MaxValue);
        Assert.Throws<InvalidOperationException>(() => _cell.Value.Release());
        Assert.Equal(int.MaxValue, _cell.Value.Count);
    });

    [Fact]
    public void A_thread_that_is_not_attached_is_told_to_attach()
    {
        Assert.Throws<InvalidOperationException>(() => _cell.Value.Wait());
        Assert.Throws<InvalidOperationException>(() => _cell.Value.TryWait());
        Assert.Throws<InvalidOperationException>(() => _cell.Value.Release());
    }

    [Fact]
    public void After_a_restart_waiters_wait_again_and_nothing_was_taken()
    {
        Task waiter = _second.Run(() => _cell.Value.Wait());
        _second.AwaitWaiting();
        using ArenaCell<ArenaSemaphore> restarted = _cell.Restart();
        _second.Kill();
        TestOwner.Join(waiter);

        using TestOwner first = new(1), second = new(2);
        Assert.Equal(0, restarted.Value.Count);
        Task again = second.Run(() => restarted.Value.Wait());
        second.AwaitWaiting();
        first.Do(() => restarted.Value.Release(2));
        TestOwner.Join(again);
        Assert.Equal(1, restarted.Value.Count);
    }

    [Fact]
    public void Units_are_neither_lost_nor_made_under_contention()
    {
        const int Threads = 6, Rounds = 3000, Units = 2;
        _cell.Value.Initialize(Units);
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
                    if (random.Next(8) != 0) _cell.Value.Wait();
                    else if (!_cell.Value.TryWait(TimeSpan.FromMicroseconds(random.Next(1, 50)))) continue;
                    Assert.InRange(Interlocked.Increment(ref inside), 1, Units);
                    if (random.Next(32) == 0) Thread.Yield();
                    Interlocked.Decrement(ref inside);
                    _cell.Value.Release();
                }
            });
        }

        TestOwner.Join(tasks);
        Assert.Equal(Units, _cell.Value.Count);
    }
}
