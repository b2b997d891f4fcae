using System.Collections.Concurrent;
using Xunit;

namespace Snapshot.Tests.Session;

/// <summary>The program says when handlers are told that a generation is committed.</summary>
public sealed class TellCommittedLaterTests : IDisposable
{
    private static readonly CheckpointOptions s_later = new() { TellCommittedLater = true };

    private readonly TemporaryStore _store = new();
    private readonly ConcurrentQueue<string> _told = new();
    private readonly SnapshotSession _session;
    private readonly Participant _main;

    public TellCommittedLaterTests()
    {
        _session = SnapshotSession.Create(_store.Path);
        _session.OpenArena("state", new ArenaOptions { Capacity = 8 << 20 });
        Async = _session.RegisterHandler("a", Handler("a"));
        _main = _session.Attach("main");
        _main.RegisterHandler("s", Handler("s"));
    }

    private HandlerRegistration Async { get; }

    public void Dispose()
    {
        _main.Dispose();
        _session.Dispose();
        _store.Dispose();
    }

    [Fact]
    public void Handlers_are_told_when_the_program_says_so_and_once()
    {
        CheckpointTicket first = Commit(s_later);

        // Whatever the handler thread had to tell came before the prepare part of the next checkpoint.
        CheckpointTicket second = Commit(s_later);
        _main.Poll();
        Assert.Empty(_told);
        first.TellCommitted();
        first.TellCommitted();
        second.TellCommitted();
        AwaitTold("a1", "s1", "a2", "s2");
        Commit();
        AwaitTold("a1", "s1", "a2", "s2", "a3", "s3");
    }

    [Fact]
    public void Whoever_was_told_of_a_generation_is_not_told_of_an_older_one()
    {
        CheckpointTicket first = Commit(s_later);
        CheckpointTicket second = Commit(s_later);
        second.TellCommitted();
        first.TellCommitted();
        CheckpointTicket third = Commit(s_later);
        Commit();
        third.TellCommitted();
        Commit();
        AwaitTold("a2", "s2", "a4", "s4", "a5", "s5");
    }

    [Fact]
    public void Handlers_that_left_meanwhile_are_not_told()
    {
        HandlerRegistration left = _main.RegisterHandler("left", Handler("left"));
        CheckpointTicket first = Commit(s_later);
        left.Dispose();
        Async.Replace(Handler("new"));
        first.TellCommitted();
        Commit();
        AwaitTold("s1", "new2", "s2");
        CheckpointTicket third = Commit(s_later);
        _main.Dispose();
        third.TellCommitted();
        AwaitTold("s1", "new2", "s2", "new3");
    }

    [Fact]
    public void Too_early_or_without_the_option_is_an_error()
    {
        CheckpointTicket open = _session.RequestCheckpoint(s_later);
        Assert.Throws<InvalidOperationException>(open.TellCommitted);
        open.WaitCommittedInThread();
        open.TellCommitted();
        Assert.Throws<InvalidOperationException>(Commit().TellCommitted);
        using CancellationTokenSource cancelled = new();
        cancelled.Cancel();
        CheckpointTicket never = _session.RequestCheckpoint(s_later, cancellation: cancelled.Token);
        Assert.ThrowsAny<OperationCanceledException>(never.WaitCommittedInThread);
        Assert.Throws<InvalidOperationException>(never.TellCommitted);
        AwaitTold("a1", "s1", "a2", "s2");
    }

    [Fact]
    public void After_the_session_was_closed_nobody_is_told_and_nothing_fails()
    {
        CheckpointTicket ticket = Commit(s_later);

        // Arenas of a session that is closed under a participant would stay mapped.
        _main.Dispose();
        _session.Dispose();
        ticket.TellCommitted();
        Assert.Empty(_told);
    }

    private CheckpointTicket Commit(CheckpointOptions? options = null)
    {
        CheckpointTicket ticket = _session.RequestCheckpoint(options ?? new CheckpointOptions());
        ticket.WaitCommittedInThread();
        return ticket;
    }

    private void AwaitTold(params string[] expected)
    {
        Assert.True(SpinWait.SpinUntil(
            () =>
            {
                if (Participant.Current == _main) _main.Poll();
                return _told.Count >= expected.Length;
            },
            TimeSpan.FromSeconds(30)));
        Assert.Equal(OfKind('s', expected), OfKind('s', _told));
        Assert.Equal(OfKind('a', expected), OfKind('a', _told));
        Assert.Equal(expected.Order(), _told.Order());
    }

    /// <summary>Each thread tells its handlers in order; what two of them tell may be in any.</summary>
    private static IEnumerable<string> OfKind(char kind, IEnumerable<string> told) =>
        told.Where(one => one.StartsWith(kind));

    private ICheckpointHandler Handler(string name) => CheckpointHandler.Create(
        _ => { }, _ => { }, committed: generation => _told.Enqueue($"{name}{generation}"));
}
