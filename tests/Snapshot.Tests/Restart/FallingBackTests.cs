using Snapshot.Tests.Faults;
using Snapshot.Tests.Profiles;
using Snapshot.Tests.Session;
using Xunit;

namespace Snapshot.Tests.Restart;

/// <summary>
/// An older generation is taken when the newest one is damaged, and not when it merely cannot be opened now:
/// then the next start may find it in order, and going on from an older one would pass it over.
/// </summary>
public sealed class FallingBackTests : IDisposable
{
    private readonly TemporaryStore _store = new();

    public void Dispose() => _store.Dispose();

    [MachineTheory]
    [Needs(Programs = ["cc"])]
    [InlineData("open", 13, "failed StoreIo 13")] // EACCES
    [InlineData("open", 24, "failed StoreIo 24")] // EMFILE
    [InlineData("open", 12, "failed StoreIo 12")] // ENOMEM
    [InlineData("open", 2, "restarted 1")] // ENOENT: it is listed, and gone
    [InlineData("read", 5, "restarted 1")] // EIO
    [InlineData("read", 74, "restarted 1")] // EBADMSG: the file system's own checksum is wrong
    [InlineData("read", 12, "failed StoreIo 12")]
    public void What_fails_decides_whether_an_older_generation_is_taken(
        string call, int errno, string expected)
    {
        using (TestProgram writer = new("writer", _store.Path, "false"))
        {
            writer.ReadUntil("open");
            for (int generation = 1; generation <= 2; generation++)
            {
                writer.Write("commit");
                Assert.Equal($"committed {generation}", writer.ReadUntil("committed", "failed")[^1]);
            }
        }

        using TestProgram restart = new(
            RigLibrary.FailEach(call, "0000000002.snapshot", errno), "restart-older", _store.Path);
        (int exitCode, string output, string error) = restart.WaitForEnd();
        Assert.True(exitCode == 0, output + error);
        Assert.Equal(expected, output.TrimEnd());

        // Nothing that was intact is gone, whatever the fault was.
        using TestProgram afterwards = new("restart-older", _store.Path);
        Assert.Equal("restarted 2", afterwards.WaitForEnd().Output.TrimEnd());
    }
}
