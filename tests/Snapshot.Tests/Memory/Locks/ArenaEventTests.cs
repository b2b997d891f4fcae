using Xunit;

namespace Snapshot.Tests.Memory.Locks;

public sealed class ArenaEventTests : IDisposable
{
    private readonly ArenaCell<ArenaEvent> _cell = new();
    private readonly TestOwner _first = new(1);
    private readonly TestOwner _second = new(2);

    public void Dispose()
    {
        _first.Dispose();
        _second.Dispose();
        _cell.Dispose();
    }

    [Fact]
    public void In_manual_mode_everyone_passes_until_it_is_reset() => _first.Do(() =>
    {
        Assert.False(_cell.Value.TryWait());
        _cell.Value.Set();
        _cell.Value.Wait();
        Assert.True(_cell.Value.TryWait());
        _cell.Value.Reset();
        Assert.False(_cell.Value.TryWait(TimeSpan.FromMilliseconds(2)));
    });

    [Fact]
    public void In_auto_mode_one_passes_per_set() => _first.Do(() =>
    {
        _cell.Value.Initialize(ArenaEventMode.AutoReset, set: true);
        Assert.True(_cell.Value.TryWait());
        Assert.False(_cell.Value.TryWait());
        _cell.Value.Set();
        _cell.Value.Set();
        _cell.Value.Wait();
        Assert.False(_cell.Value.IsSet);
    });

    [Fact]
    public void Refuses_unknown_modes_and_unattached_threads()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => _cell.Value.Initialize((ArenaEventMode)2));
        Assert.Throws<InvalidOperationException>(() => _cell.Value.Wait());
        Assert.Throws<InvalidOperationException>(() => _cell.Value.Set());
        Assert.Throws<InvalidOperationException>(() => _cell.Value.Reset());
    }

    [Theory]
    [InlineData(ArenaEventMode.ManualReset)]
    [InlineData(ArenaEventMode.AutoReset)]
    public void After_a_restart_waiters_wait_again(ArenaEventMode mode)
    {
        _cell.Value.Initialize(mode);
        Task waiter = _second.Run(() => _cell.Value.Wait());
        _second.AwaitWaiting();
        using ArenaCell<ArenaEvent> restarted = _cell.Restart();
        _second.Kill();
        TestOwner.Join(waiter);

        using TestOwner first = new(1), second = new(2);
        Task again = second.Run(() => restarted.Value.Wait());
        second.AwaitWaiting();
        first.Do(() => restarted.Value.Set());
        TestOwner.Join(again);
        Assert.Equal(mode == ArenaEventMode.ManualReset, restarted.Value.IsSet);
    }

    [Fact]
    public void Set_in_manual_mode_wakes_all_who_wait()
    {
        TestOwner[] owners = [.. Enumerable.Range(1, 5).Select(id => new TestOwner(id))];
        Task[] waiters = [.. owners.Select(owner => owner.Run(() => _cell.Value.Wait()))];
        foreach (TestOwner owner in owners) owner.AwaitWaiting();
        _first.Do(() => _cell.Value.Set());
        TestOwner.Join(waiters);
    }

    [Fact]
    public void In_auto_mode_two_threads_hand_over_to_each_other()
    {
        const int Rounds = 3000;
        using ArenaCell<ArenaEvent> other = new();
        _cell.Value.Initialize(ArenaEventMode.AutoReset, set: true);
        other.Value.Initialize(ArenaEventMode.AutoReset);
        int value = 0;
        Task ping = _first.Run(() =>
        {
            for (int round = 0; round < Rounds; round++)
            {
                _cell.Value.Wait();
                Assert.Equal(2 * round, value++);
                other.Value.Set();
            }
        });
        Task pong = _second.Run(() =>
        {
            for (int round = 0; round < Rounds; round++)
            {
                other.Value.Wait();
                Assert.Equal((2 * round) + 1, value++);
                _cell.Value.Set();
            }
        });
        TestOwner.Join(ping, pong);
        Assert.Equal(2 * Rounds, value);
    }

    [Fact]
    public void In_auto_mode_many_waiters_pass_one_at_a_time_and_none_is_forgotten()
    {
        const int Threads = 5, Rounds = 2000;
        _cell.Value.Initialize(ArenaEventMode.AutoReset, set: true);
        int inside = 0, passed = 0;
        Task[] tasks = [.. Enumerable.Range(1, Threads).Select(id => new TestOwner(id).Run(() =>
        {
            for (int round = 0; round < Rounds; round++)
            {
                _cell.Value.Wait();
                Assert.Equal(1, ++inside);
                passed++;
                inside--;
                _cell.Value.Set();
            }
        }))];
        TestOwner.Join(tasks);
        Assert.Equal(Threads * Rounds, passed);
    }
}
