using Snapshot.Tests.Profiles;
using Xunit;
using Xunit.Abstractions;

namespace Snapshot.Tests.Threads;

/// <summary>
/// Fibers that use everything there is, killed at random moments: results, finally blocks, locks, handlers
/// and memory are in the end as if nobody had killed them. SNAPSHOT_SOAK_SECONDS makes each test go on for so
/// long.
/// </summary>
public sealed class FiberKillTests(ITestOutputHelper output)
{
    [Fact]
    public void Killed_fibers_come_to_the_same_end() => new KillLoop(1, 300, FiberBuilds.OfTests).Run(output);

    [Fact]
    public void Killed_fibers_come_to_the_same_end_while_every_object_moves() =>
        new KillLoop(2, 60, FiberBuilds.OfTests).Run(output, "--gc");

    [Fact]
    public void Killed_fibers_of_workers_that_are_cancelled_and_called_again_come_to_the_same_end() =>
        new KillLoop(7, 200, FiberBuilds.OfTests).Run(output, "--cancel");

    [MachineFact]
    [Needs(Toolchain = true)]
    public void Killed_fibers_of_a_debug_build_come_to_the_same_end() =>
        new KillLoop(3, 300, FiberBuilds.Debug).Run(output);

    [AheadOfTimeFact]
    public void Killed_fibers_compiled_ahead_of_time_come_to_the_same_end() =>
        new KillLoop(4, 300, FiberBuilds.AheadOfTime).Run(output);

    [AheadOfTimeFact]
    public void Killed_fibers_compiled_ahead_of_time_come_to_the_same_end_while_every_object_moves() =>
        new KillLoop(5, 60, FiberBuilds.AheadOfTime).Run(output, "--gc");

    [AheadOfTimeFact]
    public void Killed_fibers_go_on_in_processes_compiled_ahead_of_time_and_just_in_time_by_turns() =>
        new KillLoop(6, 300, FiberBuilds.AheadOfTime, FiberBuilds.JustInTime).Run(output);
}
