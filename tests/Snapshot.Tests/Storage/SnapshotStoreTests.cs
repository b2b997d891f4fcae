using System.Reflection;
using System.Runtime.Loader;
using Snapshot.Image;
using Snapshot.Storage;
using Snapshot.Tests.Image;
using Xunit;

namespace Snapshot.Tests.Storage;

public sealed class SnapshotStoreTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("snapshot-store-").FullName;
    private readonly StoreScript _script = new(seed: 4);

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_committed_chain_is_found_again(bool direct)
    {
        using (SnapshotStore store = SnapshotStore.Open(_directory, new StoreOptions(), direct))
        {
            Assert.Null(store.Newest);
            GenerationInfo first = _script.Commit(store, full: true);
            GenerationInfo second = _script.Commit(store, full: false);
            Assert.Equal(
                (1L, null, GenerationKind.Full, "0000000001.snapshot"),
                (first.Generation, first.Parent, first.Kind, first.FileName));
            Assert.Equal(
                (2L, 1L, GenerationKind.Incremental), (second.Generation, second.Parent, second.Kind));
            Assert.Equal(second.FileBytes, new FileInfo(Path.Combine(_directory, second.FileName)).Length);
        }

        using SnapshotStore reader = SnapshotStore.OpenReadOnly(_directory);
        Assert.Equal([1L, 2L], reader.Generations.Select(info => info.Generation));
        await _script.AssertHolds(reader);
    }

    [Fact]
    public void The_draft_says_whether_direct_io_is_used()
    {
        using (SnapshotStore buffered = SnapshotStore.Open(_directory, new StoreOptions(), directIo: false))
            Assert.False(_script.Write(buffered, full: true).DirectIo);
        Assert.Equal(["lock", "manifest"], FileNames());
    }

    [Fact]
    public void A_second_writer_is_told_which_file_is_locked_and_readers_are_not_kept_out()
    {
        using SnapshotStore store = SnapshotStore.Open(_directory);
        SnapshotException error = Assert.Throws<SnapshotException>(() => SnapshotStore.Open(_directory));
        Assert.Equal(SnapshotErrorCode.StoreBusy, error.Code);
        Assert.Equal(Path.Combine(_directory, "lock"), error.Path);
        SnapshotStore.OpenReadOnly(_directory).Dispose();
        store.Dispose();
        SnapshotStore.Open(_directory).Dispose();
    }

    [Fact]
    public void A_writer_deletes_drafts_of_an_interrupted_one_and_sets_images_aside_that_are_not_listed()
    {
        using (SnapshotStore store = SnapshotStore.Open(_directory)) _script.Commit(store, full: true);
        foreach (string name in new[]
        {
            "0000000002.snapshot", "0000000002.snapshot.partial", "manifest.partial", "0000000001-1.snapshot",
            "my.snapshot", "notes.partial",
        })
            File.WriteAllText(Path.Combine(_directory, name), "x");
        SnapshotStore.OpenReadOnly(_directory).Dispose();
        Assert.Equal(9, FileNames().Length);
        SnapshotStore.Open(_directory).Dispose();
        Assert.Equal(
            [
                "0000000001-1.snapshot.aside", "0000000001.snapshot", "0000000002.snapshot.aside", "lock",
                "manifest",
                "my.snapshot", "notes.partial",
            ],
            FileNames());
    }

    [Fact]
    public void Drafts_that_are_not_committed_leave_nothing()
    {
        using (SnapshotStore store = SnapshotStore.Open(_directory))
        {
            ImageDraft draft = _script.Write(store, full: true);
            Assert.Contains("0000000001.snapshot.partial", FileNames());
            store.Abandon(draft);
            Assert.Equal(["lock", "manifest"], FileNames());
            _script.Write(store, full: true);
        }

        Assert.Equal(["lock", "manifest"], FileNames());
    }

    [Fact]
    public void Wrong_use_is_refused()
    {
        using SnapshotStore store = SnapshotStore.Open(_directory);
        GenerationInfo first = _script.Commit(store, full: true);
        Assert.Throws<ArgumentOutOfRangeException>(
            () => store.BeginImage(new ImageHeader(Guid.NewGuid(), 1, null, DateTimeOffset.UtcNow)));
        SnapshotException error = Assert.Throws<SnapshotException>(
            () => store.BeginImage(new ImageHeader(
                Guid.NewGuid(), 2, new ImageLink(Guid.NewGuid(), first.Generation), DateTimeOffset.UtcNow)));
        Assert.Equal(SnapshotErrorCode.ChainBroken, error.Code);
        Assert.Equal(
            SnapshotErrorCode.NotFound, Assert.Throws<SnapshotException>(() => store.Describe(9)).Code);
        Assert.Equal(
            SnapshotErrorCode.NotFound,
            Assert.Throws<SnapshotException>(() => SnapshotStore.OpenReadOnly(_directory + "/none")).Code);
        using SnapshotStore reader = SnapshotStore.OpenReadOnly(_directory);
        Assert.Throws<InvalidOperationException>(
            () => reader.BeginImage(new ImageHeader(Guid.NewGuid(), 2, null, DateTimeOffset.UtcNow)));
    }

    [Fact]
    public async Task A_missing_or_exchanged_ancestor_breaks_the_chain_and_the_file_is_named()
    {
        using SnapshotStore store = SnapshotStore.Open(_directory);
        GenerationInfo first = _script.Commit(store, full: true);
        GenerationInfo second = _script.Commit(store, full: false);
        GenerationInfo third = _script.Commit(store, full: true);
        string path = Path.Combine(_directory, first.FileName);
        File.Copy(Path.Combine(_directory, third.FileName), path, overwrite: true);
        SnapshotException error = Assert.Throws<SnapshotException>(() => store.OpenChain(second.Generation));
        Assert.Equal((SnapshotErrorCode.Corrupt, path), (error.Code, error.Path));

        File.Delete(path);
        error = Assert.Throws<SnapshotException>(() => store.OpenChain(second.Generation));
        Assert.Equal((SnapshotErrorCode.ChainBroken, path), (error.Code, error.Path));
        VerifyReport report = await store.VerifyAsync();
        Assert.Equal(
            [SnapshotErrorCode.NotFound, SnapshotErrorCode.ChainBroken],
            report.Problems.Select(problem => problem.Code));
        Assert.True((await store.VerifyAsync(third.Generation)).IsIntact);
    }

    [Fact]
    public async Task What_is_pruned_or_compacted_while_a_reader_verifies_is_not_damage()
    {
        using SnapshotStore store = SnapshotStore.Open(_directory);
        _script.Commit(store, full: true);
        _script.Commit(store, full: true);
        GenerationInfo third = _script.Commit(store, full: false);
        using SnapshotStore reader = SnapshotStore.OpenReadOnly(_directory);
        await store.CompactAsync(third.Generation);
        await store.PruneAsync(new RetentionPolicy { KeepLast = 1 });

        VerifyReport report = await reader.VerifyAsync();
        Assert.Empty(report.Problems);
        Assert.Equal(1, report.ImageCount);
    }

    [Fact]
    public async Task Verify_lists_every_damaged_block_with_its_offset()
    {
        using SnapshotStore store = SnapshotStore.Open(_directory, new StoreOptions(), directIo: false);
        ImageDraft draft = store.BeginImage(
            SampleImage.FullHeader, new ImageWriterOptions { Encoding = BlockEncoding.None });
        draft.Writer.BeginRegion(SampleImage.Arena(300));
        draft.Writer.AppendPages(SampleImage.Noise(300, 1), 0);
        draft.Complete(SampleImage.Metadata);
        string path = Path.Combine(_directory, store.Commit(draft).FileName);
        Assert.True((await store.VerifyAsync()).IsIntact);
        long[] blocks = [4096, 4096 + 2 * 64 * 4096, 4096 + 4 * 64 * 4096];
        byte[] bytes = File.ReadAllBytes(path);
        foreach (long block in blocks) bytes[block + 1000] ^= 4;
        File.WriteAllBytes(path, bytes);
        VerifyReport report = await store.VerifyAsync();
        Assert.Equal(
            blocks.Select(block => (SnapshotErrorCode.Corrupt, path, (long?)block)),
            report.Problems.Select(one => (one.Code, one.Path, one.Offset)));
        Assert.Equal(5, report.BlockCount);
    }

    [Fact]
    public async Task Verify_finds_every_flipped_byte_of_an_image()
    {
        string path = Path.Combine(_directory, "0000000001.snapshot");
        using SnapshotStore store = SnapshotStore.Open(_directory, new StoreOptions(), directIo: false);
        ImageDraft draft = store.BeginImage(SampleImage.FullHeader);
        draft.Writer.BeginRegion(SampleImage.Arena(2));
        draft.Writer.AppendPages(SampleImage.Smooth(2), 8);
        draft.Complete(SampleImage.Metadata);
        store.Commit(draft);
        byte[] bytes = File.ReadAllBytes(path);
        using FileStream file = new(
            path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
        for (int i = 0; i < bytes.Length; i++)
        {
            Put(i, (byte)(bytes[i] ^ (1 << (i % 8))));
            Assert.False((await store.VerifyAsync()).IsIntact, $"byte {i}");
            Put(i, bytes[i]);
        }

        Assert.True((await store.VerifyAsync()).IsIntact);

        void Put(int at, byte value)
        {
            file.Position = at;
            file.WriteByte(value);
        }
    }

    [Fact]
    public async Task A_compacted_generation_is_the_same_state_in_one_file_and_its_children_stay_valid()
    {
        using SnapshotStore store = SnapshotStore.Open(_directory);
        for (int i = 0; i < 4; i++) _script.Commit(store, full: i == 0);
        GenerationInfo before = store.Generations[2];
        List<StoreProgress> progress = [];
        GenerationInfo after = await store.CompactAsync(3, new Immediate(progress));
        Assert.Equal(
            (before.Generation, before.ImageId, before.Created.ToUnixTimeMilliseconds()),
            (after.Generation, after.ImageId, after.Created.ToUnixTimeMilliseconds()));
        Assert.Equal(
            (GenerationKind.Full, null, "0000000003-1.snapshot"), (after.Kind, after.Parent, after.FileName));
        Assert.DoesNotContain(before.FileName, FileNames());
        Assert.Equal(progress[^1].BytesTotal, progress[^1].BytesDone);
        Assert.Equivalent(after, await store.CompactAsync(3), strict: true);
        await _script.AssertHolds(store);
        await store.PruneAsync(new RetentionPolicy { KeepLast = 1 });
        Assert.Equal([3L, 4L], store.Generations.Select(info => info.Generation));
        _script.Commit(store, full: false);
        await _script.AssertHolds(store);
        Assert.All(store.Describe(3).Regions, region => Assert.Equal(0, region.InParentPages));
    }

    [Fact]
    public async Task A_cancelled_compaction_changes_nothing()
    {
        using SnapshotStore store = SnapshotStore.Open(_directory);
        _script.Commit(store, full: true);
        _script.Commit(store, full: false);
        string[] before = FileNames();
        using CancellationTokenSource source = new();
        Immediate cancelAtOnce = new([], source.Cancel);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => store.CompactAsync(2, cancelAtOnce, source.Token));
        Assert.Equal(before, FileNames());
        await _script.AssertHolds(store);
    }

    [Fact]
    public async Task Closing_the_store_ends_a_compaction_that_runs()
    {
        using ManualResetEventSlim inside = new();
        using ManualResetEventSlim go = new();
        SnapshotStore store = SnapshotStore.Open(_directory);
        _script.Commit(store, full: true);
        _script.Commit(store, full: false);
        string[] before = FileNames();
        Immediate parked = new([], () =>
        {
            inside.Set();
            go.Wait();
        });
        Task compaction = Task.Run(() => store.CompactAsync(2, parked));
        inside.Wait();
        Task closing = Task.Run(store.Dispose);
        go.Set();
        await closing;
        // It may have been past its last look at the token: then it is complete, else nothing has changed.
        if (await Record.ExceptionAsync(() => compaction) is { } error)
            Assert.IsAssignableFrom<OperationCanceledException>(error);
        using SnapshotStore again = SnapshotStore.OpenReadOnly(_directory);
        Assert.Equal(before.Length, FileNames().Length);
        await _script.AssertHolds(again);
    }

    [Fact]
    public async Task Pruning_spares_the_parent_of_an_image_being_written()
    {
        using SnapshotStore store = SnapshotStore.Open(_directory);
        GenerationInfo first = _script.Commit(store, full: true);
        _script.Commit(store, full: true);
        ImageHeader header = new(
            Guid.NewGuid(), 3, new ImageLink(first.ImageId, first.Generation), DateTimeOffset.UtcNow);
        ImageDraft draft = store.BeginImage(header);
        Assert.Empty(await store.PruneAsync(new RetentionPolicy { KeepLast = 1 }));
        store.Abandon(draft);
        Assert.Equivalent(
            new[] { first }, await store.PruneAsync(new RetentionPolicy { KeepLast = 1 }), strict: true);
    }

    [Fact]
    public void A_torn_half_falls_back_to_the_other_and_two_torn_halves_are_damage()
    {
        using (SnapshotStore store = SnapshotStore.Open(_directory))
        {
            _script.Commit(store, full: true);
            _script.Commit(store, full: true);
        }

        // Sequences: 1 at the creation, 2 and 3 by the commits; 3 lives in half 0.
        Flip("manifest", 100);
        using (SnapshotStore store = SnapshotStore.OpenReadOnly(_directory))
            Assert.Equal(1, store.Newest!.Generation);
        Flip("manifest", 262_144 + 100);
        SnapshotException error = Assert.Throws<SnapshotException>(() => SnapshotStore.Open(_directory));
        Assert.Equal(
            (SnapshotErrorCode.Corrupt, Path.Combine(_directory, "manifest")), (error.Code, error.Path));
        Assert.Contains("0000000002.snapshot", FileNames());
        File.Delete(Path.Combine(_directory, "manifest"));
        Assert.Equal(
            SnapshotErrorCode.Corrupt,
            Assert.Throws<SnapshotException>(() => SnapshotStore.Open(_directory)).Code);
        Assert.Contains("0000000002.snapshot", FileNames());
    }

    [Fact]
    public void Describe_tells_what_the_image_says_about_itself()
    {
        using SnapshotStore store = SnapshotStore.Open(_directory);
        ImageDraft draft = store.BeginImage(SampleImage.FullHeader);
        draft.Writer.BeginRegion(SampleImage.Arena(9));
        draft.Writer.Append(ExtentKind.Zero, 1);
        draft.Writer.AppendPages(SampleImage.Smooth(3), 8);
        draft.Writer.Append(ExtentKind.Excluded, 5);
        draft.Complete(SampleImage.Metadata);
        GenerationInfo info = store.Commit(draft);
        ImageDescription shown = store.Describe(1);
        Assert.Equivalent(info, shown.Info, strict: true);
        Assert.Equal(new Version(1, 5), shown.FormatVersion);
        Assert.Equivalent(
            new[] { new RegionStatistics(SampleImage.Arena(9), 3, 3, 0, 1, 5) }, shown.Regions, strict: true);
        Assert.Equivalent(SampleImage.Metadata.Roots, shown.Roots, strict: true);
        Assert.Equal(SampleImage.Metadata.Figures, shown.Figures);
        EncodingStatistics encoding = Assert.Single(shown.Encodings);
        Assert.Equal(("difference+shuffle8+lz4", 1, 3 * 4096L), (encoding.Encoding, encoding.BlockCount,
            encoding.PageBytes));
    }

    /// <summary>The library is loaded a second time, where it finds no native part.</summary>
    [Fact]
    public async Task Reading_a_store_needs_no_native_code_and_writing_does()
    {
        using (SnapshotStore store = SnapshotStore.Open(_directory)) _script.Commit(store, full: true);
        ManagedOnly context = new();
        Type type = context.LoadFromAssemblyPath(typeof(SnapshotStore).Assembly.Location)
            .GetType(typeof(SnapshotStore).FullName!)!;
        Assert.NotEqual(typeof(SnapshotStore), type);
        using (IDisposable reader =
            (IDisposable)type.GetMethod("OpenReadOnly", [typeof(string)])!.Invoke(null, [_directory])!)
        {
            Task verification = (Task)type.GetMethod("VerifyAsync")!.Invoke(
                reader, [null, null, CancellationToken.None])!;
            await verification;
            object report = verification.GetType().GetProperty("Result")!.GetValue(verification)!;
            Assert.True((bool)report.GetType().GetProperty("IsIntact")!.GetValue(report)!);
        }

        TargetInvocationException error = Assert.Throws<TargetInvocationException>(
            () => type.GetMethods().Single(method => method.Name == "Open")
                .Invoke(null, [Path.Combine(_directory, "new"), null]));
        Assert.Contains("libsnapshot_native.so", error.ToString(), StringComparison.Ordinal);
        context.Unload();
    }

    private sealed class ManagedOnly() : AssemblyLoadContext("managed only", isCollectible: true)
    {
        protected override nint LoadUnmanagedDll(string unmanagedDllName) =>
            throw new DllNotFoundException(unmanagedDllName);
    }

    private string[] FileNames() =>
        [.. Directory.EnumerateFiles(_directory).Select(path => Path.GetFileName(path)).Order(
            StringComparer.Ordinal)];

    private void Flip(string name, int at)
    {
        string path = Path.Combine(_directory, name);
        byte[] bytes = File.ReadAllBytes(path);
        bytes[at] ^= 1;
        File.WriteAllBytes(path, bytes);
    }

    private sealed class Immediate(List<StoreProgress> seen, Action? then = null) : IProgress<StoreProgress>
    {
        public void Report(StoreProgress value)
        {
            seen.Add(value);
            then?.Invoke();
        }
    }
}
