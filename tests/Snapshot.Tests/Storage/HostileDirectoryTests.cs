using System.Runtime.InteropServices;
using Snapshot.Tests.Session;
using Snapshot.Tests.Tool;
using Snapshot.Tool;
using Xunit;

namespace Snapshot.Tests.Storage;

/// <summary>Somebody else puts things into the directory of a store, or owns it.</summary>
public sealed partial class HostileDirectoryTests : IDisposable
{
    private const int OtherUser = 54321;

    private readonly TemporaryStore _store = new();
    private readonly StoreScript _script = new(1);

    public void Dispose() => _store.Dispose();

    [Theory]
    [InlineData("0000000002.snapshot")]
    [InlineData("0000000002.snapshot.partial")]
    public async Task A_link_planted_at_the_next_name_leads_no_write_elsewhere(string name)
    {
        string target = _store.File("target");
        File.WriteAllText(target, "precious");
        using SnapshotStore store = SnapshotStore.Open(_store.Path);
        _script.Commit(store, full: true);
        File.CreateSymbolicLink(Path.Combine(_store.Path, name), target);
        _script.Commit(store, full: true);
        Assert.Equal("precious", File.ReadAllText(target));
        Assert.Null(new FileInfo(Path.Combine(_store.Path, "0000000002.snapshot")).LinkTarget);
        await _script.AssertHolds(store);
    }

    [Theory]
    [InlineData("manifest")]
    [InlineData("lock")]
    public void A_link_in_place_of_a_file_of_the_store_is_not_followed(string name)
    {
        Commit();
        string path = Path.Combine(_store.Path, name);
        File.Move(path, _store.File("elsewhere"));
        File.CreateSymbolicLink(path, _store.File("elsewhere"));
        AssertUntrusted("a symbolic link", () => SnapshotStore.Open(_store.Path));
    }

    [Theory]
    [InlineData("0000000001.snapshot")]
    [InlineData("manifest")]
    [InlineData("lock")]
    public async Task A_FIFO_in_place_of_a_file_is_told_and_holds_nobody_up(string name)
    {
        Commit();
        string path = Path.Combine(_store.Path, name);
        File.Delete(path);
        Assert.Equal(0, mkfifo(path, 0b110_000_000));
        AssertUntrusted("a FIFO", () => SnapshotSession.Open(_store.Path).Dispose());
        if (name == "lock") return;
        ToolRun verify = await ToolRun.Here("verify", _store.Path);
        Assert.NotEqual(ExitCode.Fine, verify.ExitCode);
        Assert.Contains("a FIFO", verify.Out + verify.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_directory_that_everybody_may_write_is_refused_unless_it_is_allowed()
    {
        Commit();
        File.SetUnixFileMode(_store.Path, (UnixFileMode)0b111_111_111);
        AssertUntrusted("everybody may write it", () => SnapshotStore.Open(_store.Path));
        SnapshotStore.OpenReadOnly(_store.Path).Dispose();
        SnapshotStore.Open(_store.Path, new StoreOptions { AllowForeignOwner = true }).Dispose();
    }

    [RootFact]
    public void A_directory_of_another_user_is_refused_unless_it_is_allowed_and_then_its_owner_gets_the_files()
    {
        Commit();
        foreach (string path in (string[])[_store.Path, .. Directory.GetFiles(_store.Path)])
            Assert.Equal(0, chown(path, OtherUser, OtherUser));
        AssertUntrusted($"the user with id {OtherUser}", () => SnapshotStore.Open(_store.Path));

        using (SnapshotStore store =
            SnapshotStore.Open(_store.Path, new StoreOptions { AllowForeignOwner = true }))
            _script.Commit(store, full: true);
        string owners =
            Structure.Repository.Run(_store.Path, "stat", ["-c", "%u", "0000000002.snapshot"]).Output;
        Assert.Equal($"{OtherUser}", owners.Trim());
    }

    [RootFact]
    public void One_file_of_another_user_is_refused()
    {
        Commit();
        Assert.Equal(0, chown(Path.Combine(_store.Path, "0000000001.snapshot"), OtherUser, OtherUser));
        AssertUntrusted($"the user with id {OtherUser}", () => SnapshotSession.Open(_store.Path).Dispose());
    }

    [Theory]
    [InlineData(false, 0b110_000_000, 0b111_000_000)]
    [InlineData(true, 0b110_100_000, 0b111_101_000)]
    public void Nobody_else_may_read_a_store_unless_the_group_is_let(bool group, int file, int directory)
    {
        using SnapshotStore store =
            SnapshotStore.Open(_store.Path, new StoreOptions { GroupMayRead = group });
        _script.Commit(store, full: true);
        Assert.Equal((UnixFileMode)directory, File.GetUnixFileMode(_store.Path));
        Assert.All(
            Directory.GetFiles(_store.Path),
            path => Assert.Equal((UnixFileMode)file, File.GetUnixFileMode(path)));
    }

    [Fact]
    public async Task A_directory_that_is_renamed_while_it_is_open_stays_the_store()
    {
        using SnapshotStore store = SnapshotStore.Open(_store.Path);
        _script.Commit(store, full: true);
        string moved = _store.File("moved");
        Directory.Move(_store.Path, moved);
        Directory.CreateDirectory(_store.Path);
        _script.Commit(store, full: false);
        Assert.Empty(Directory.GetFiles(_store.Path));
        await _script.AssertHolds(store);
        using SnapshotStore there = SnapshotStore.OpenReadOnly(moved);
        Assert.Equal(2, there.Newest!.Generation);
    }

    private void Commit()
    {
        using SnapshotStore store = SnapshotStore.Open(_store.Path);
        _script.Commit(store, full: true);
    }

    private static void AssertUntrusted(string why, Action action)
    {
        SnapshotException error = Assert.Throws<SnapshotException>(action);
        Assert.Equal(SnapshotErrorCode.Untrusted, error.Code);
        Assert.Contains(why, error.Message, StringComparison.Ordinal);
    }

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int mkfifo(string path, uint mode);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int chown(string path, int user, int group);
}
