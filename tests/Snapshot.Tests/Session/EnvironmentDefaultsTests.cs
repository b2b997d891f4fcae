using Xunit;

namespace Snapshot.Tests.Session;

public sealed class EnvironmentDefaultsTests : IDisposable
{
    private readonly string? _before = Environment.GetEnvironmentVariable("SNAPSHOT_CAPTURE");

    public void Dispose() => Environment.SetEnvironmentVariable("SNAPSHOT_CAPTURE", _before);

    [Fact]
    public void The_environment_sets_a_default_that_the_program_overrides()
    {
        Environment.SetEnvironmentVariable("SNAPSHOT_CAPTURE", "stage");
        Assert.Equal(CaptureMode.Stage, new SnapshotOptions().Capture);
        Assert.Equal(CaptureMode.PreCopy, new SnapshotOptions { Capture = CaptureMode.PreCopy }.Capture);
    }

    [Fact]
    public void A_value_that_is_none_is_refused_by_name()
    {
        Environment.SetEnvironmentVariable("SNAPSHOT_CAPTURE", "cow");
        SnapshotException error = Assert.Throws<SnapshotException>(() => new SnapshotOptions());
        Assert.Equal(SnapshotErrorCode.InvalidSetting, error.Code);
        Assert.Contains("SNAPSHOT_CAPTURE is 'cow'", error.Message, StringComparison.Ordinal);
        Assert.Contains("copyonwrite", error.Message, StringComparison.Ordinal);
    }
}
