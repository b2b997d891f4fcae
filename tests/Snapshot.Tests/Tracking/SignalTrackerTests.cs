using Snapshot.Tests.Profiles;
using Xunit;

namespace Snapshot.Tests.Tracking;

/// <summary>
/// By signals: the writing threads serve themselves. Nothing is needed for it; a system call fails instead of
/// waiting.
/// </summary>
public sealed class SignalTrackerTests() : FreezingTrackerContract(TrackingMechanism.SignalWriteProtect)
{
    [MachineFact]
    public override void A_read_from_a_pipe_is_seen() =>
        Assert.ThrowsAny<IOException>(base.A_read_from_a_pipe_is_seen);

    [MachineFact]
    public override void A_read_from_a_file_is_seen() =>
        Assert.ThrowsAny<IOException>(base.A_read_from_a_file_is_seen);
}
