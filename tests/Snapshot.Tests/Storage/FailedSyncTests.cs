using Snapshot.Tests.Faults;
using Snapshot.Tests.Session;
using Xunit;

namespace Snapshot.Tests.Storage;

/// <summary>
/// A sync fails below the library and below .NET: nothing is reported as durable that is not, and the next
/// checkpoint and the next process go on.
/// </summary>
public sealed class FailedSyncTests : IDisposable
{
    private readonly TemporaryStore _store = new();

    public void Dispose() => _store.Dispose();

    [Theory]
    [InlineData(5, true)] // EIO
    [InlineData(5, false)]
    [InlineData(28, false)] // ENOSPC
    [InlineData(122, false)] // EDQUOT
    public void A_failed_sync_of_an_image_fails_the_checkpoint_and_the_next_has_its_pages(
        int errno, bool directIo)
    {
        string[] lines = Run(directIo, RigLibrary.FailSync(".snapshot.partial", 2, errno));
        string[] expected = [
            "restarted 0 with 0", "committed 1 with 1", $"failed StoreIo {errno}", "committed 2 with 3",
            "committed 3 with 4"];
        Assert.Equal(expected, lines);
        Assert.Equal("restarted 3 with 4", Run(directIo)[0]);
    }

    [Theory]
    [InlineData(5)]
    [InlineData(28)]
    [InlineData(122)]
    public void A_failed_sync_of_the_manifest_is_an_unknown_outcome_that_the_next_checkpoint_settles(
        int errno)
    {
        // The first sync of a new store is that of `manifest.partial`, the second the first commit's.
        string[] lines = Run(true, RigLibrary.FailSync("/manifest", 3, errno));
        Assert.Equal("committed 1 with 1", lines[1]);
        Assert.Equal($"failed OutcomeUnknown {errno}", lines[2]);
        Assert.Equal(["committed 3 with 3", "committed 4 with 4"], lines[3..]);
        Assert.Equal("restarted 4 with 4", Run(true)[0]);
    }

    private string[] Run(bool directIo, params (string Name, string Value)[] fault)
    {
        using TestProgram program = new(fault, "sync-fails", _store.Path, directIo.ToString());
        (int exitCode, string text, string error) = program.WaitForEnd();
        Assert.True(exitCode == 0, text + error);
        return text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
