using Microsoft.Win32.SafeHandles;
using Snapshot.Interop;
using Snapshot.Storage;
using Snapshot.Tests.Faults;
using Snapshot.Tests.Session;
using Xunit;

namespace Snapshot.Tests.Storage;

/// <summary>One writer at a time, wherever the store is, and a message that says who has it.</summary>
public sealed class StoreLockTests : IDisposable
{
    private readonly TemporaryStore _store = new();

    public void Dispose() => _store.Dispose();

    private string LockPath => Path.Combine(_store.Path, "lock");

    [Fact]
    public void The_message_names_the_process_that_has_the_store()
    {
        using (TestProgram writer = new("writer", _store.Path, "false"))
        {
            string process = writer.ReadUntil("open")[^1].Split(' ')[1];
            SnapshotException busy = Assert.Throws<SnapshotException>(
                () => SnapshotStore.Open(_store.Path, Waiting(TimeSpan.Zero)));
            Assert.Equal(SnapshotErrorCode.StoreBusy, busy.Code);
            Assert.Contains(
                $"process {process} (dotnet) on {Environment.MachineName}", busy.Message,
                StringComparison.Ordinal);
        }

        SnapshotStore.Open(_store.Path).Dispose();
        Assert.Equal(0, new FileInfo(LockPath).Length);
    }

    [Theory]
    [InlineData(38)] // ENOSYS: Lustre without -o flock
    [InlineData(37)] // ENOLCK
    [InlineData(95)] // EOPNOTSUPP
    public void Where_locks_are_missing_a_store_is_refused_and_the_message_names_the_file_system(int errno)
    {
        using TestProgram writer = new(WithoutLocks(errno), "writer", _store.Path, "false");
        string refused = writer.ReadUntil("failed")[^1];
        Assert.StartsWith("failed Unsupported", refused, StringComparison.Ordinal);
        Assert.Contains(new DriveInfo(_store.Path).DriveFormat, refused, StringComparison.Ordinal);
        Assert.Contains($"errno {errno}", refused, StringComparison.Ordinal);
        Assert.Contains(nameof(StoreOptions.AllowUnlocked), refused, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_locks_two_writers_of_a_machine_are_told_apart_by_the_lock_file()
    {
        using TestProgram first = new(WithoutLocks(38), "writer", _store.Path, "true");
        first.ReadUntil("open");
        using TestProgram second = new(WithoutLocks(38), "writer", _store.Path, "true");
        Assert.Contains("StoreBusy", second.ReadUntil("failed")[^1], StringComparison.Ordinal);
        first.Write("commit");
        Assert.Equal("committed 1", first.ReadUntil("committed", "failed")[^1]);
    }

    [Fact]
    public void Without_locks_the_writer_to_which_another_machine_came_writes_nothing_more()
    {
        using TestProgram first = new(WithoutLocks(38), "writer", _store.Path, "true");
        first.ReadUntil("open");
        first.Write("commit");
        first.ReadUntil("committed");

        // As another machine sees it: the boot id is not its own.
        string text = File.ReadAllText(LockPath);
        string boot = text.Split('\n').Single(line => line.StartsWith("boot ", StringComparison.Ordinal));
        File.WriteAllText(LockPath, text.Replace(boot, "boot elsewhere", StringComparison.Ordinal));
        first.Write("commit");
        Assert.Equal("committed 2", first.ReadUntil("committed", "failed")[^1]);

        using TestProgram second = new(WithoutLocks(38), "writer", _store.Path, "true");
        second.ReadUntil("open");
        second.Write("commit");
        Assert.Equal("committed 3", second.ReadUntil("committed", "failed")[^1]);
        byte[] before = File.ReadAllBytes(Path.Combine(_store.Path, Manifest.FileName));
        first.Write("commit");
        Assert.StartsWith(
            "failed StoreBusy", first.ReadUntil("committed", "failed")[^1], StringComparison.Ordinal);
        Assert.Equal(before, File.ReadAllBytes(Path.Combine(_store.Path, Manifest.FileName)));
        second.Write("commit");
        Assert.Equal("committed 4", second.ReadUntil("committed", "failed")[^1]);
    }

    [Fact]
    public void A_writer_whose_lock_file_was_deleted_under_it_writes_nothing_more()
    {
        StoreScript script = new(1);
        using SnapshotStore first = SnapshotStore.Open(_store.Path);
        script.Commit(first, full: true);
        File.Delete(LockPath);
        using SnapshotStore second = SnapshotStore.Open(_store.Path);
        SnapshotException lost = Assert.Throws<SnapshotException>(() => script.Commit(first, full: true));
        Assert.Equal(SnapshotErrorCode.StoreBusy, lost.Code);
        Assert.Equal([1L], second.Generations.Select(info => info.Generation));
        new StoreScript(2).Commit(second, full: true);
    }

    [Fact]
    public void A_writer_behind_whose_back_the_manifest_was_written_writes_nothing_more()
    {
        StoreScript script = new(1);
        using SnapshotStore store = SnapshotStore.Open(_store.Path);
        script.Commit(store, full: true);
        string path = Path.Combine(_store.Path, Manifest.FileName);
        byte[] manifest = File.ReadAllBytes(path);
        ManifestState other = new(9, []);
        ManifestHalf.Encode(
            other, manifest.AsSpan(other.Half * ManifestHalf.HalfBytes, ManifestHalf.HalfBytes));
        File.WriteAllBytes(path, manifest);
        SnapshotException lost = Assert.Throws<SnapshotException>(() => script.Commit(store, full: true));
        Assert.Equal(SnapshotErrorCode.StoreBusy, lost.Code);
        Assert.Equal(manifest, File.ReadAllBytes(path));
    }

    [Fact]
    public async Task A_holder_that_is_gone_is_waited_for()
    {
        SnapshotStore.Open(_store.Path).Dispose();
        LockHolder gone;
        using (TestProgram ended = new("writer", _store.Path, "false"))
        {
            ended.ReadUntil("open");
            gone = LockHolder.Parse(ReadLock())!;
        }

        // What it started has its descriptor for a while, or the kernel still takes its memory apart.
        Assert.Equal(0, FileCalls.OpenDirectory(_store.Path, out SafeFileHandle folder));
        Assert.Equal(0, FileCalls.Open(folder, "lock", writing: true, out SafeFileHandle left));
        folder.Dispose();
        using SafeFileHandle closing = left;
        Assert.True(SpinWait.SpinUntil(
            () => Native.sn_lock_acquire((int)left.DangerousGetHandle()) == 0, TimeSpan.FromMinutes(1)));
        RandomAccess.Write(left, gone.ToBytes(), 0);
        Task<SnapshotStore> opening = Task.Run(() => SnapshotStore.Open(_store.Path));
        Assert.True(
            SpinWait.SpinUntil(() => OpenFiles() >= 2 || opening.IsCompleted, TimeSpan.FromMinutes(1)));
        Native.sn_lock_release((int)left.DangerousGetHandle());
        (await opening).Dispose();
    }

    [Fact]
    public void A_holder_that_runs_is_waited_for_and_after_a_second_that_is_told_once()
    {
        using TestProgram holder = new("writer", _store.Path, "false");
        string process = holder.ReadUntil("open")[^1].Split(' ')[1];
        List<string> told = [];
        using SnapshotStore store = SnapshotStore.Open(
            _store.Path, Waiting(TimeSpan.FromMinutes(10), message =>
            {
                told.Add(message);
                holder.Kill();
            }));
        string only = Assert.Single(told);
        Assert.Contains($"process {process} (dotnet)", only, StringComparison.Ordinal);
        Assert.EndsWith("waiting up to 600 s for it", only, StringComparison.Ordinal);
    }

    [Fact]
    public void A_holder_that_stays_is_refused_by_name_when_the_time_is_over()
    {
        using TestProgram holder = new("writer", _store.Path, "false");
        string process = holder.ReadUntil("open")[^1].Split(' ')[1];
        SnapshotException busy = Assert.Throws<SnapshotException>(() => SnapshotStore.Open(
            _store.Path, Waiting(TimeSpan.FromMilliseconds(50), message => Assert.Fail(message))));
        Assert.Equal(SnapshotErrorCode.StoreBusy, busy.Code);
        Assert.Contains($"process {process} (dotnet)", busy.Message, StringComparison.Ordinal);
    }

    /// <summary>Also where nobody has written yet, or could write, who holds it.</summary>
    [Fact]
    public void A_holder_without_a_name_is_waited_for()
    {
        using TestProgram holder = new("writer", _store.Path, "false");
        holder.ReadUntil("open");
        Assert.Equal(0, FileCalls.OpenDirectory(_store.Path, out SafeFileHandle folder));
        Assert.Equal(0, FileCalls.Open(folder, "lock", writing: true, out SafeFileHandle file));
        folder.Dispose();
        using (file) RandomAccess.SetLength(file, 0);
        string? told = null;
        SnapshotStore.Open(_store.Path, Waiting(TimeSpan.FromMinutes(10), message =>
        {
            told = message;
            holder.Kill();
        })).Dispose();
        Assert.Contains("another process, or another session", told, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Another_session_of_this_process_is_not_waited_for()
    {
        using SnapshotStore first = SnapshotStore.Open(_store.Path);
        Task<SnapshotException> refused = Task.Run(() => Assert.Throws<SnapshotException>(
            () => SnapshotStore.Open(_store.Path, Waiting(TimeSpan.FromDays(1)))));
        SnapshotException busy = await refused.WaitAsync(TimeSpan.FromMinutes(1));
        Assert.Contains("another session of this process has", busy.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_time_to_wait_is_not_negative() => Assert.Throws<ArgumentOutOfRangeException>(
        () => new StoreOptions { LockTimeout = TimeSpan.FromMilliseconds(-1) });

    [Fact]
    public void What_a_holder_says_of_itself_is_read_back()
    {
        LockHolder self = LockHolder.New();
        Assert.Equal(self, LockHolder.Parse(System.Text.Encoding.UTF8.GetString(self.ToBytes())));
        Assert.Equal(HolderState.Alive, self.State(self));
        Assert.Equal(HolderState.Gone, (self with { Started = self.Started + 1 }).State(self));
        Assert.Equal(HolderState.Gone, (self with { Process = int.MaxValue }).State(self));
        Assert.Equal(HolderState.Elsewhere, (self with { Boot = "x" }).State(self));
        Assert.Equal(HolderState.Elsewhere, (self with { Namespace = "x" }).State(self));
        Assert.Null(LockHolder.Parse(""));
        Assert.Null(LockHolder.Parse("session x\npid 1\nstarted 2\n"));
    }

    private static StoreOptions Waiting(TimeSpan timeout, Action<string>? told = null) =>
        new() { LockTimeout = timeout, Waiting = told };

    /// <summary>Not as .NET opens a file: it asks for a lock of its own.</summary>
    private string ReadLock()
    {
        Assert.Equal(0, FileCalls.OpenDirectory(_store.Path, out SafeFileHandle folder));
        using SafeFileHandle closing = folder;
        Assert.Equal(0, FileCalls.Open(folder, "lock", writing: false, out SafeFileHandle file));
        using SafeFileHandle reading = file;
        byte[] bytes = new byte[4096];
        return System.Text.Encoding.UTF8.GetString(bytes, 0, RandomAccess.Read(file, bytes, 0));
    }

    private int OpenFiles() => Directory.EnumerateFiles("/proc/self/fd")
        .Count(link => new FileInfo(link).LinkTarget == LockPath);

    private static (string Name, string Value)[] WithoutLocks(int errno) =>
        RigLibrary.FailEach("lock", "/lock", errno);
}
