using Xunit;

namespace Snapshot.Tests.Memory.Locks;

public sealed class ArenaReaderWriterLockTests : IDisposable
{
    private readonly ArenaCell<ArenaReaderWriterLock> _cell = new();
    private readonly TestOwner _first = new(1);
    private readonly TestOwner _second = new(2);
    private readonly TestOwner _third = new(3);

    public void Dispose()
    {
        _first.Dispose();
        _second.Dispose();
        _third.Dispose();
        _cell.Dispose();
    }

    [Fact]
    public void Readers_share_and_a_writer_excludes()
    {
        _first.Do(() => _cell.Value.EnterRead());
        _second.Do(() =>
        {
            using (_cell.Value.EnterReadScope()) Assert.Equal(2, _cell.Value.ReaderCount);
            Assert.False(_cell.Value.TryEnterWrite(TimeSpan.Zero));
        });
        _first.Do(() => _cell.Value.ExitRead());
        _second.Do(() =>
        {
            using (_cell.Value.EnterWriteScope())
            {
                Assert.True(_cell.Value.IsWriteHeldByCurrent);
                _first.Do(() => Assert.False(_cell.Value.TryEnterRead(TimeSpan.Zero)));
                _first.Do(() => Assert.False(_cell.Value.TryEnterWrite(TimeSpan.FromMilliseconds(2))));
            }
        });
        Assert.Equal((0, 0), (_cell.Value.ReaderCount, _cell.Value.WriterId));
    }

    [Fact]
    public void Recursion_of_the_writer_and_foreign_exits_are_refused()
    {
        _first.Do(() =>
        {
            _cell.Value.EnterWrite();
            Assert.Throws<InvalidOperationException>(() => _cell.Value.EnterWrite());
            Assert.Throws<InvalidOperationException>(() => _cell.Value.EnterRead());
            Assert.Throws<InvalidOperationException>(() => _cell.Value.ExitRead());
        });
        _second.Do(() => Assert.Throws<InvalidOperationException>(() => _cell.Value.ExitWrite()));
        Assert.Throws<InvalidOperationException>(() => _cell.Value.EnterRead());
        Assert.Equal(1, _cell.Value.WriterId);
    }

    [Fact]
    public void A_waiting_writer_goes_before_new_readers_but_never_holds_them_back_for_ever()
    {
        _first.Do(() => _cell.Value.EnterRead());
        Task writer = _second.Run(() => _cell.Value.EnterWrite());
        _second.AwaitWaiting();
        _third.Do(() =>
        {
            Assert.False(_cell.Value.TryEnterRead(TimeSpan.Zero));
            Assert.True(_cell.Value.TryEnterRead(TimeSpan.FromSeconds(30)));
            _cell.Value.ExitRead();
        });
        _first.Do(() => _cell.Value.ExitRead());
        TestOwner.Join(writer);
        Assert.Equal(2, _cell.Value.WriterId);
    }

    [Fact]
    public void A_writer_that_gives_up_no_longer_holds_readers_back()
    {
        _first.Do(() => _cell.Value.EnterRead());
        _second.Do(() => Assert.False(_cell.Value.TryEnterWrite(TimeSpan.FromMilliseconds(2))));
        _third.Do(() => Assert.True(_cell.Value.TryEnterRead(TimeSpan.Zero)));
    }

    [Fact]
    public void A_writer_held_before_a_restart_is_held_after_and_waiters_wait_again()
    {
        _first.Do(() => _cell.Value.EnterWrite());
        Task reader = _second.Run(() => _cell.Value.EnterRead());
        Task writer = _third.Run(() => _cell.Value.EnterWrite());
        _second.AwaitWaiting();
        _third.AwaitWaiting();
        using ArenaCell<ArenaReaderWriterLock> restarted = _cell.Restart();
        _second.Kill();
        _third.Kill();
        TestOwner.Join(reader, writer);

        using TestOwner first = new(1), second = new(2);
        Task again = second.Run(() => restarted.Value.EnterRead());
        second.AwaitWaiting();
        first.Do(() =>
        {
            Assert.True(restarted.Value.IsWriteHeldByCurrent);
            restarted.Value.ExitWrite();
        });
        TestOwner.Join(again);
        Assert.Equal((1, 0), (restarted.Value.ReaderCount, restarted.Value.WriterId));
    }

    [Fact]
    public void Readers_held_before_a_restart_are_held_after_and_a_writer_that_never_returns_blocks_nobody()
    {
        _first.Do(() => _cell.Value.EnterRead());
        Task writer = _second.Run(() => _cell.Value.EnterWrite());
        _second.AwaitWaiting();
        using ArenaCell<ArenaReaderWriterLock> restarted = _cell.Restart();
        _second.Kill();
        TestOwner.Join(writer);

        using TestOwner first = new(1), third = new(3);
        third.Do(() => restarted.Value.EnterRead());
        Assert.Equal(2, restarted.Value.ReaderCount);
        third.Do(() => restarted.Value.ExitRead());
        first.Do(() => restarted.Value.ExitRead());
        third.Do(() => Assert.True(restarted.Value.TryEnterWrite(TimeSpan.Zero)));
    }

    [Fact]
    public void Writers_exclude_everyone_and_all_come_through()
    {
        const int Threads = 6, Rounds = 2000;
        int readers = 0, writers = 0, written = 0;
        Task[] tasks = [.. Enumerable.Range(1, Threads).Select(id => new TestOwner(id).Run(() =>
        {
            Random random = new(id);
            for (int round = 0; round < Rounds; round++)
            {
                if (random.Next(4) == 0)
                {
                    if (random.Next(2) == 0) _cell.Value.EnterWrite();
                    else if (!_cell.Value.TryEnterWrite(TimeSpan.FromMicroseconds(30))) continue;
                    Assert.Equal((1, 0), (++writers, Volatile.Read(ref readers)));
                    written++;
                    if (random.Next(32) == 0) Thread.Yield();
                    writers--;
                    _cell.Value.ExitWrite();
                }
                else
                {
                    _cell.Value.EnterRead();
                    Interlocked.Increment(ref readers);
                    Assert.Equal(0, Volatile.Read(ref writers));
                    if (random.Next(32) == 0) Thread.Yield();
                    Interlocked.Decrement(ref readers);
                    _cell.Value.ExitRead();
                }
            }
        }))];
        TestOwner.Join(tasks);
        Assert.True(written > 0);
        Assert.Equal((0, 0), (_cell.Value.ReaderCount, _cell.Value.WriterId));
    }
}
