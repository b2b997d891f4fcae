using Snapshot.Tests.Restart;
using Xunit;

namespace Snapshot.Tests.Session;

/// <summary>A session that cannot be opened leaves nothing: no descriptor, no thread, no mapping.</summary>
public sealed class HalfBuiltTests : IDisposable
{
    private readonly TemporaryStore _store = new();

    public void Dispose() => _store.Dispose();

    [Theory]
    [InlineData("eager")]
    [InlineData("lazy")]
    [InlineData("copy-on-write")]
    public void Whatever_descriptor_cannot_be_had_nothing_is_left_of_the_session(string how)
    {
        bool isPossible = how switch
        {
            "lazy" => MachineCapabilities.Current[Capability.PagesOnDemand],
            "copy-on-write" => MachineCapabilities.Current[Capability.CopyOnWrite],
            _ => true,
        };
        using TestProgram program = new("half-built", _store.Path, isPossible ? how : "eager");
        (int exitCode, string output, string error) = program.WaitForEnd();
        Assert.True(exitCode == 0, output + error);
        Assert.Equal("failed, then opened\n", output);
    }

    [Fact]
    public void A_restart_that_asks_for_what_is_not_there_leaves_its_arenas_addresses_free()
    {
        using LazyStore store = new(seed: 31, images: 1);
        SnapshotOptions impossible =
            new()
            {
                Tuning = new SnapshotTuning { Tracking = TrackingMechanism.ContentHash },
                Capture =
                CaptureMode.PreCopy
            };
        for (int turn = 0; turn < 3; turn++)
        {
            SnapshotException error =
                Assert.Throws<SnapshotException>(() => SnapshotSession.Open(store.Path, impossible));
            Assert.Equal(SnapshotErrorCode.Unsupported, error.Code);
        }

        using SnapshotSession session = SnapshotSession.Open(store.Path, LazyStore.Eagerly);
        Assert.Equal(1, session.Restarted!.Generation);
    }
}
