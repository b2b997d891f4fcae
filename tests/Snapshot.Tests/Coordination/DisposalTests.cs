using Snapshot.Coordination;
using Xunit;

namespace Snapshot.Tests.Coordination;

/// <summary>No Dispose throws because another thread calls it: it does the right thing, or nothing.</summary>
public sealed class DisposalTests
{
    [Theory]
    [InlineData(typeof(CriticalSection))]
    [InlineData(typeof(BlockedRegion))]
    [InlineData(typeof(ArenaMutex.Scope))]
    [InlineData(typeof(ArenaReaderWriterLock.Scope))]
    public void The_scopes_of_a_thread_cannot_get_to_another(Type scope) => Assert.True(scope.IsByRefLike);

    [Fact]
    public void What_belongs_to_fibers_is_left_alone_by_a_thread_that_runs_none()
    {
        default(FiberCriticalSection).Dispose();
        default(FiberGroup).Dispose();
    }

    [Fact]
    public void A_handler_is_unregistered_by_any_thread()
    {
        int calls = 0;
        using Coordinator coordinator = new();
        using Worker worker = Worker.Attach(coordinator, "w");
        HandlerRegistration? registration = null;
        worker.Do(participant => registration = participant.RegisterHandler(
            "h", CheckpointHandler.Create(_ => calls++)));
        coordinator.Checkpoint(1);
        registration!.Dispose();
        registration.Dispose();
        coordinator.Checkpoint(2);
        Assert.Equal(1, calls);
    }
}
