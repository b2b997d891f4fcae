using Snapshot.Tests.Profiles;
using Snapshot.Tracking;
using Xunit;

namespace Snapshot.Tests.Tracking;

public sealed class TrackerFactoryTests
{
    private static readonly MachineCapabilities s_able = MachineCapabilities.Current;
    private static readonly MachineCapabilities s_unable =
        MachineCapabilities.Without(Capability.WriteTracking, Capability.SoftDirty);

    [MachineFact]
    [Needs(Capability.WriteTracking)]
    public void Auto_takes_write_protection_where_the_probe_saw_it_work()
    {
        using TrackerFactory factory = new(s_able, TrackingMechanism.Auto);
        Assert.Equal(TrackingMechanism.WriteProtect, factory.Mechanism);
    }

    [Fact]
    public void Auto_takes_content_hash_where_it_did_not()
    {
        using TrackerFactory factory = new(s_unable, TrackingMechanism.Auto);
        Assert.Equal(TrackingMechanism.ContentHash, factory.Mechanism);
    }

    [Fact]
    public void Write_protection_by_name_is_refused_where_it_does_not_work()
    {
        SnapshotException error = Assert.Throws<SnapshotException>(
            () => new TrackerFactory(s_unable, TrackingMechanism.WriteProtect));
        Assert.Equal(SnapshotErrorCode.Unsupported, error.Code);
        Assert.Contains("userfaultfd", error.Message, StringComparison.Ordinal);
        Assert.Contains("PAGEMAP_SCAN", error.Message, StringComparison.Ordinal);
        Assert.Contains("ContentHash", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Soft_dirty_bits_by_name_are_refused_where_there_are_none()
    {
        SnapshotException error = Assert.Throws<SnapshotException>(
            () => new TrackerFactory(s_unable, TrackingMechanism.SoftDirty));
        Assert.Equal(SnapshotErrorCode.Unsupported, error.Code);
        Assert.Contains("soft-dirty", error.Message, StringComparison.Ordinal);
        Assert.Contains("CONFIG_MEM_SOFT_DIRTY", error.Message, StringComparison.Ordinal);
        Assert.Contains("ContentHash", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Pages_of_another_size_are_refused()
    {
        MachineCapabilities other = MachineCapabilities.Without(Capability.SmallPages);
        SnapshotException error = Assert.Throws<SnapshotException>(
            () => new TrackerFactory(other, TrackingMechanism.Auto));
        Assert.Equal(SnapshotErrorCode.Unsupported, error.Code);
    }

    [Fact]
    public void What_is_no_mechanism_is_a_wrong_argument() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new TrackerFactory(s_able, (TrackingMechanism)99));
}
