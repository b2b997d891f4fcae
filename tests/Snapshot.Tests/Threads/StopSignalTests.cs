using Snapshot.Coordination;
using Snapshot.Tests.Coordination;
using Snapshot.Threads.Fibers;
using Xunit;

namespace Snapshot.Tests.Threads;

public sealed class StopSignalTests
{
    [Fact]
    public void A_participant_that_is_gone_is_no_reason_for_safepoints_to_look()
    {
        using Coordinator coordinator = new();
        int before = StopSignal.Reasons;
        using Worker worker = Worker.Attach(coordinator, "w");
        worker.Die(participant => participant.Notify(new CommitNotice(1, [])));
        Assert.Equal(before + 1, StopSignal.Reasons);
        coordinator.RemoveDead();
        Assert.Equal(before, StopSignal.Reasons);
    }

    [Fact]
    public void A_safepoint_where_no_fiber_executes_does_not_depend_on_what_is_pending_elsewhere()
    {
        StopSignal.Add();
        try
        {
            Assert.True(default(SafepointAwaiter).IsCompleted);
        }
        finally
        {
            StopSignal.Remove();
        }
    }
}
