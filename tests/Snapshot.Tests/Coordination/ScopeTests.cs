using Snapshot.Coordination;
using Xunit;

namespace Snapshot.Tests.Coordination;

/// <summary>Critical sections and blocked regions: who leaves which, and what a refused entry does.</summary>
public sealed class ScopeTests : IDisposable
{
    private readonly Coordinator _coordinator = new();
    private readonly Worker _worker;
    private readonly Worker _other;

    public ScopeTests()
    {
        _worker = Worker.Attach(_coordinator, "w");
        _other = Worker.Attach(_coordinator, "other");
    }

    private int Held => PhaseWord.HeldOf(_coordinator.Barrier.Read());

    private int Running => PhaseWord.RunningOf(_coordinator.Barrier.Read());

    public void Dispose()
    {
        _worker.Dispose();
        _other.Dispose();
        _coordinator.Dispose();
    }

    [Fact]
    public void A_copy_of_a_section_that_was_left_does_not_close_that_of_another_participant()
    {
        using ManualResetEventSlim inside = new();
        using ManualResetEventSlim leave = new();
        Task holding = _other.Start(participant =>
        {
            using CriticalSection section = participant.EnterCriticalSection();
            inside.Set();
            leave.Wait();
        });
        inside.Wait();
        _worker.Do(participant =>
        {
            CriticalSection section = participant.EnterCriticalSection();
            CriticalSection copy = section;
            section.Dispose();
            AssertRefused(ref copy);
            Assert.Equal(1, Held);
            using CriticalSection again = participant.EnterCriticalSection();
            Assert.Equal(2, Held);
        });
        leave.Set();
        holding.Join();
        Assert.Equal(0, Held);
        _coordinator.Checkpoint();
    }

    [Fact]
    public void A_copy_of_a_section_that_was_left_does_not_close_the_one_around_it_nor_one_as_deep()
    {
        _worker.Do(participant =>
        {
            using (participant.EnterCriticalSection())
            {
                CriticalSection inner = participant.EnterCriticalSection();
                CriticalSection copy = inner;
                inner.Dispose();
                AssertRefused(ref copy);
                copy = inner = participant.EnterCriticalSection();
                inner.Dispose();
                using (participant.EnterCriticalSection()) AssertRefused(ref copy);
                Assert.Equal(1, Held);
                Assert.True(participant.IsInCriticalSection);
            }

            Assert.Equal(0, Held);
        });
        _coordinator.Checkpoint();
    }

    [Fact]
    public void A_copy_of_a_region_that_was_left_does_not_end_another_nor_spoil_the_next()
    {
        _worker.Do(participant =>
        {
            BlockedRegion region = participant.EnterBlockedRegion();
            BlockedRegion copy = region;
            region.Dispose();
            AssertRefused(ref copy);
            Assert.Equal(2, Running);
            using (participant.EnterBlockedRegion())
            {
                BlockedRegion inner = participant.EnterBlockedRegion();
                copy = inner;
                inner.Dispose();
                AssertRefused(ref copy);
                Assert.Equal(1, Running);
            }

            Assert.Equal(2, Running);
        });
        _coordinator.Checkpoint();
    }

    [Fact]
    public void A_scope_is_not_left_while_one_inside_it_is_open()
    {
        _worker.Do(participant =>
        {
            CriticalSection outer = participant.EnterCriticalSection();
            CriticalSection copy = outer;
            using (participant.EnterCriticalSection())
            {
                AssertRefused(ref copy);
                using (participant.EnterBlockedRegion())
                {
                    copy = outer;
                    AssertRefused(ref copy);
                }
            }

            Assert.Equal(1, Held);
            outer.Dispose();
            outer.Dispose();
            Assert.Equal(0, Held);
            BlockedRegion region = participant.EnterBlockedRegion();
            BlockedRegion same = region;
            using (participant.EnterBlockedRegion()) AssertRefused(ref same);
            Assert.Equal(1, Running);
            region.Dispose();
            region.Dispose();
            Assert.Equal(2, Running);
        });
        _coordinator.Checkpoint();
    }

    [Fact]
    public void Who_tries_until_it_may_enter_takes_part_in_the_checkpoint_that_refuses_it()
    {
        using ManualResetEventSlim inside = new();
        using ManualResetEventSlim refused = new();
        Task holding = _other.Start(participant =>
        {
            using CriticalSection section = participant.EnterCriticalSection();
            inside.Set();
            refused.Wait();
        });
        inside.Wait();
        Task<Attempt> checkpoint = Task.Run(() => _coordinator.Capture());
        SpinWait.SpinUntil(() => _coordinator.Phase == Phase.Pending);
        Task trying = _worker.Start(participant =>
        {
            CriticalSection section;
            while (!participant.TryEnterCriticalSection(out section)) refused.Set();
            Assert.NotNull(participant.LastAttempt);
            section.Dispose();
        });
        checkpoint.Join().Finish();
        trying.Join();
        holding.Join();
    }

    [Fact]
    public void In_a_handler_scopes_do_nothing_also_when_they_are_left_twice()
    {
        _worker.Do(participant => participant.RegisterHandler("h", CheckpointHandler.Create(_ =>
        {
            CriticalSection section = participant.EnterCriticalSection();
            CriticalSection copy = section;
            section.Dispose();
            copy.Dispose();
            BlockedRegion region = participant.EnterBlockedRegion();
            BlockedRegion same = region;
            region.Dispose();
            same.Dispose();
        })));
        _coordinator.Checkpoint();
        Assert.Equal((0, 2), (Held, Running));
    }

    // A scope is a ref struct, which no delegate captures.
    private static void AssertRefused(ref CriticalSection section)
    {
        try
        {
            section.Dispose();
        }
        catch (InvalidOperationException error)
        {
            Assert.Contains("'w'", error.Message, StringComparison.Ordinal);
            return;
        }

        Assert.Fail("A critical section was left that is not the innermost.");
    }

    private static void AssertRefused(ref BlockedRegion region)
    {
        try
        {
            region.Dispose();
        }
        catch (InvalidOperationException error)
        {
            Assert.Contains("'w'", error.Message, StringComparison.Ordinal);
            return;
        }

        Assert.Fail("A blocked region was left that is not the innermost.");
    }
}
